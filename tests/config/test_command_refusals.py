"""What commands answer to a value they cannot take: the code, and a sentence that helps."""

from __future__ import annotations

import re
from contextlib import suppress
from io import StringIO

import pytest
from django.core.management import call_command

from config.management.commands import clock as clock_command

USAGE, REFUSED = 2, 4


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "code", "words"),
    [
        (("clock", "--set", "2020-01-01T00:00:00+08:00"), REFUSED, "only moves forward"),
        (("run_due", "nope"), USAGE, "There is no job of this key; there are: "),
        (("compare_books", "--wait=-5"), USAGE, "--wait"),
        (("resolve_unknown", "--number", "NOPE"), USAGE, "No open transaction has this number"),
    ],
)
def test_unusable_value_is_refused_in_words(typed: tuple[str, ...], code: int, words: str) -> None:
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*typed, stderr=said)
    assert ended.value.code == code
    assert words in said.getvalue()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "order"),
    [
        (("--advance", "36h"), {"advance_s": 129_600}),
        (("--set", "2026-12-01T09:00:00+08:00"), {"now": "2026-12-01T09:00:00+08:00"}),
    ],
)
def test_step_is_added_to_the_clock_that_leads(
    monkeypatch: pytest.MonkeyPatch, typed: tuple[str, str], order: dict[str, object]
) -> None:
    """The portal's clock follows the sandbox's, so a step counted from ours would fall short."""
    sent: list[object] = []

    def moved(_method: str, _path: str, body: object) -> dict[str, str]:
        sent.append(body)
        return {"now": "then"}

    monkeypatch.setattr(clock_command, "sandbox_call", moved)
    call_command("clock", *typed, stderr=StringIO())
    assert sent == [order]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed",
    [
        ("check_ledger",),
        ("clock",),
        ("close_day", "--dry-run"),
        ("close_day", "--date", "2099-01-01"),
        ("doctor",),
        ("nfc_payload",),
        ("nfc_payload", "--location", "NOPE"),
        ("resolve_unknown", "--dry-run"),
        ("run_due", "sweep_invoices", "--dry-run"),
        ("sync_roles", "--dry-run"),
        ("sync_schedule", "--dry-run"),
    ],
)
def test_every_command_speaks_one_language(typed: tuple[str, ...]) -> None:
    said = StringIO()
    with suppress(SystemExit):
        call_command(*typed, stderr=said)
    assert said.getvalue()
    assert re.findall("[\u4e00-\u9fff]+", said.getvalue()) == []
