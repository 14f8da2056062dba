"""The mixed order's figures: both equations and every fee, one fen at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from billing.channels.base import InsurancePart, Mode, OrderReference
from billing.channels.wechat_pay.med_ins import id_digest
from billing.channels.wechat_pay.med_ins_figures import (
    FEES,
    equation_broken,
    mixed_differs,
    mixed_fees,
)
from tests.billing.channels.wechat_orders import reference

PART = InsurancePart(
    serial_no="MO1", pay_order_no="ORD1", pay_auth_no="AUTH1", total_fen=4_350, fund_fen=2_452,
    account_fen=500, cash_fen=1_398, payer_name="王芳", payer_id_number="330300198206180010",
    institution_code="H33030000001", institution_name="沙盒医院", city="330300",
)  # fmt: skip


def order() -> OrderReference:
    return replace(reference("http://localhost", Mode.MIXED), amount_fen=1_398, insurance=PART)


def told(**changes: Any) -> dict[str, Any]:
    said = order()
    return {
        **mixed_fees(PART, 1_398),
        "out_trade_no": said.number,
        "pay_order_id": "ORD1",
        "serial_no": "MO1",
        "appid": said.merchant.app_id,
        "mix_pay_status": "MIX_PAY_SUCCESS",
        "self_pay_status": "SELF_PAY_SUCCESS",
        "med_ins_pay_status": "MED_INS_PAY_SUCCESS",
    } | changes


def test_an_order_that_adds_up_is_believed() -> None:
    assert equation_broken(PART, 1_398) == ""
    assert mixed_differs(told(), PART, order()) == ""


@pytest.mark.parametrize("fee", FEES)
@pytest.mark.parametrize("by_fen", [1, -1])
def test_one_fen_of_difference_is_refused(fee: str, by_fen: int) -> None:
    said = told()
    assert mixed_differs(told(**{fee: said[fee] + by_fen}), PART, order())


@pytest.mark.parametrize("pair", [
    ("total_fee", "med_ins_gov_fee"), ("med_ins_gov_fee", "med_ins_self_fee"),
])  # fmt: skip
def test_figures_that_add_up_to_something_else_are_not_ours(pair: tuple[str, str]) -> None:
    said, (more, other) = told(), pair
    back = 1 if more == "total_fee" else -1
    assert mixed_differs(told(**{more: said[more] + 1, other: said[other] + back}), PART, order())


@pytest.mark.parametrize("changes", [
    {"cash_reduce_detail": [{"cash_reduce_fee": 1, "cash_reduce_type": "DISCOUNT"}]},
    {"cash_add_detail": [{"cash_add_fee": 1, "cash_add_type": "FREIGHT"}]},
    {"cash_add_detail": "1"},
    {"total_fee": "4350"},
    {"total_fee": 4350.0},
    {"med_ins_pay_status": "MED_INS_PAY_PAID"},
    {"mix_pay_status": "MIX_PAY_USER_PAYING"},
    {"self_pay_status": None},
    {"pay_order_id": "ORD2"},
    {"serial_no": "MO2"},
    {"appid": "wx0"},
    {"out_trade_no": "TX0"},
])  # fmt: skip
def test_what_is_not_ours_or_unheard_is_refused(changes: dict[str, Any]) -> None:
    assert mixed_differs(told(**changes), PART, order())


@pytest.mark.parametrize("change", [
    {"total_fen": 4_351}, {"fund_fen": 2_453}, {"account_fen": 499}, {"cash_fen": 1_397},
])  # fmt: skip
def test_nothing_is_sent_that_does_not_add_up(change: dict[str, int]) -> None:
    assert equation_broken(replace(PART, **change), 1_398)
    assert equation_broken(PART, 1_397)


def test_the_digest_is_of_the_upper_case_number() -> None:
    # the vendor's own example
    assert id_digest("44030019000101123x") == "09eb26e839ff3a2e3980352ae45ef09e"
