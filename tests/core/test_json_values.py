"""JSON of the floor: exact numbers, one spelling where it is hashed."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils.translation import gettext_lazy as _
from hypothesis import given, settings
from hypothesis import strategies as st

from core.json_values import canonical, dumps

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_what_json_does_not_know_is_written_exactly():
    number = uuid.UUID(int=7)
    assert json.loads(dumps({
        "amount": Decimal("0.10"),
        "day": date(2026, 11, 20),
        "at": datetime(2026, 11, 20, 2, tzinfo=UTC),
        "id": number,
        "word": _("paid"),
    })) == {
        "amount": "0.10",
        "day": "2026-11-20",
        "at": "2026-11-20T02:00:00Z",
        "id": str(number),
        "word": str(_("paid")),
    }  # fmt: skip


def test_chinese_stays_readable():
    assert dumps({"name": "张三"}) == '{"name": "张三"}'
    assert canonical({"name": "张三"}) == '{"name":"张三"}'.encode()


def test_one_value_has_one_spelling():
    assert canonical({"b": 1, "a": [1, {"d": 2, "c": 3}]}) == b'{"a":[1,{"c":3,"d":2}],"b":1}'
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})
    assert canonical([1, 2]) != canonical([2, 1])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError):
        canonical({"a": value})


@settings(max_examples=40)
@given(VALUES)
def test_what_is_written_is_read_back(value):
    try:
        written = canonical(value)
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text
    assert json.loads(written) == value == json.loads(dumps(value))


def test_what_has_no_form_is_refused():
    with pytest.raises(TypeError):
        dumps({"a": object()})
