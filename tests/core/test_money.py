from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

import pytest
from django import forms
from django.template import Context, Template
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from core.money import (
    MoneyError,
    YuanField,
    fen_from_yuan,
    format_yuan,
    share_fen,
    yuan_text,
)


@pytest.mark.parametrize(
    "_case",
    [("86.40", 8640), ("0", 0), ("0.1", 10), ("-0.05", -5), ("1086.4", 108640),
     (Decimal("34.99"), 3499), (Decimal("1E+2"), 10000), (Decimal("816"), 81600), ("007.10", 710)],
)  # fmt: skip
def test_yuan_to_fen_is_exact(_case):
    value, fen = _case
    assert fen_from_yuan(value) == fen


@pytest.mark.parametrize(
    "value",
    ["0.001", "1.230", "1E2", "NaN", "inf", "", " 1", "1 ", "1,000", "1_000", "+1", ".5", "5.",
     "１２", "1.2.3", "--1", "9" * 30, "10000000000000.01", Decimal("NaN"), Decimal("-Infinity"),
     Decimal("0.001"), Decimal("1E-3"), Decimal("1E+40"), 0.1, 12, True, None, b"1"],
)  # fmt: skip
def test_anything_else_is_refused(value):
    with pytest.raises(MoneyError) as refused:
        fen_from_yuan(value)
    assert refused.value.status == 400


@given(st.integers(-(10**15), 10**15))
def test_fen_survive_the_way_through_yuan(fen):
    assert fen_from_yuan(yuan_text(fen)) == fen


def test_texts() -> None:
    assert (yuan_text(8640), yuan_text(-5), yuan_text(0)) == ("86.40", "-0.05", "0.00")
    assert format_yuan(108640) == "¥1,086.40"
    assert format_yuan(-108640) == "−¥1,086.40"
    assert format_yuan(0) == "¥0.00"


@pytest.mark.parametrize(
    "_case",
    [("1,086.40", 108640), ("１０８６．４", 108640), ("1，086.40", 108640), ("¥86.4", 8640),
     (" 86 元 ", 8600), ("0.01", 1), ("1234567.89", 123456789), ("60。5", 6050)],
)  # fmt: skip
def test_field_takes_what_people_type(_case):
    typed, fen = _case
    assert YuanField().clean(typed) == fen


@pytest.mark.parametrize(
    "_case",
    [("1.234", "too_fine"), ("１．２３４", "too_fine"), ("10,86.40", "bad"), ("1e3", "bad"),
     ("abc", "bad"), ("-5", "too_small"), ("0", "too_small"), ("", "required"),
     ("  ", "required"),
     ("1,000.00.00", "bad"), ("9" * 40, "bad"), ("500.01", "too_large"), ("5²", "bad"),
     ("1½", "bad")],
)  # fmt: skip
def test_field_refuses_the_rest(_case):
    typed, code = _case
    with pytest.raises(forms.ValidationError) as refused:
        YuanField(fen_max=50000).clean(typed)
    assert refused.value.error_list[0].code == code


def test_field_message_is_clear() -> None:
    with translation.override("en"), pytest.raises(forms.ValidationError) as refused:
        YuanField().clean("86.405")
    with translation.override("en"):
        assert "two decimals" in str(refused.value)


def test_field_shows_yuan_and_keeps_typing_errors() -> None:
    class Take(forms.Form):
        amount_fen = YuanField()

    assert 'value="86.40"' in str(Take(initial={"amount_fen": 8640})["amount_fen"])
    assert 'value="86.405"' in str(Take({"amount_fen": "86.405"})["amount_fen"])
    assert YuanField(required=False).clean("") is None


def test_filter() -> None:
    shown = Template("{% load money %}{{ fen|yuan }}|{{ none|yuan }}")
    assert shown.render(Context({"fen": -108640, "none": None})) == "−1,086.40|"


@given(st.integers(0, 10**9), st.lists(st.integers(1, 50), min_size=1, max_size=12))
def test_parts_taken_one_after_another_add_up_to_the_sum(total_fen, quantities):
    whole = Decimal(sum(quantities))
    so_far, parts = 0, []
    for quantity in quantities:
        before = share_fen(total_fen, Decimal(so_far), whole)
        so_far += quantity
        parts.append(share_fen(total_fen, Decimal(so_far), whole) - before)
    assert sum(parts) == total_fen
    assert min(parts) >= 0


def test_a_third_of_a_yuan_is_cut_and_the_last_third_has_the_rest():
    thirds = [share_fen(100, Decimal(part), Decimal(3)) for part in (1, 2, 3)]
    assert thirds == [33, 66, 100]
    assert share_fen(100, Decimal(1), Decimal(3), ROUND_CEILING) == 34
