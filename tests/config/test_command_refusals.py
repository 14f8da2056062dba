"""What commands answer to a value they cannot take: the code, and a sentence that helps."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

USAGE, REFUSED = 2, 4


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        (("clock", "--set", "2020-01-01T00:00:00+08:00"), REFUSED, "只能往前"),
        (("run_due", "nope"), USAGE, "sweep_invoices"),
        (("compare_books", "--wait=-5"), USAGE, "--wait"),
        (("resolve_unknown", "--number", "NOPE"), USAGE, "没有未完结的交易"),
    ],
)
def test_unusable_value_is_refused_in_words(typed: tuple[str, ...], code: int, words: str) -> None:
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*typed, stderr=said)
    assert ended.value.code == code
    assert words in said.getvalue()
