"""Every row of the outcome table, answered by a vendor on a real socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from billing.channels.base import ChannelAnswer, Mode
from core.outcomes import Outcome
from tests.billing.channels import wechat_vendor as wx
from tests.billing.channels.wechat_orders import (
    REFUND_FEN,
    call,
    contract,
    deduction,
    refund_object,
    transaction,
    v2_refund_accepted,
    v2_refund_state,
)
from tests.billing.channels.wechat_vendor import Vendor, v2_error, v3_answer, v3_error

pytestmark = pytest.mark.django_db

YES, NO, OPEN, LOST = Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.PENDING, Outcome.UNKNOWN
SCAN, NATIVE, H5, MANDATE = Mode.SCAN, Mode.NATIVE, Mode.H5, Mode.AGREEMENT


class Row(NamedTuple):
    """One answer and what must be understood: outcome, code, executed, closed."""

    verb: str
    mode: Mode
    answer: Callable[[], bytes]
    outcome: Outcome
    code: str
    executed: bool | None = None
    closed: bool = False
    amount_fen: int | None = None
    later: bool = False  # a retry_at is named


def trade(state: str, status: int = 200, **changes: object) -> Callable[[], bytes]:
    return lambda: v3_answer(status, transaction(state, **changes))


def said(status: int, code: str) -> Callable[[], bytes]:
    return lambda: v3_error(status, code)


def said2(code: str) -> Callable[[], bytes]:
    return lambda: v2_error(code)


def back(status: str, **changes: object) -> Callable[[], bytes]:
    return lambda: v3_answer(200, refund_object(status, **changes))


V3_ROWS = [
    Row("capture", SCAN, trade("SUCCESS"), YES, "", True, amount_fen=8640),
    Row("capture", SCAN, trade("USERPAYING", 202), OPEN, "USERPAYING", True, amount_fen=8640),
    Row("capture", SCAN, lambda: v3_answer(202, {}), OPEN, "HTTP_202"),
    Row("capture", SCAN, said(400, "USERPAYING"), OPEN, "USERPAYING", True),
    Row("capture", SCAN, trade("PAYERROR"), NO, "PAYERROR", True, amount_fen=8640),
    Row("capture", SCAN, trade("BRANDNEW"), LOST, "BRANDNEW", True, amount_fen=8640),
    Row("capture", SCAN, said(400, "AUTH_CODE_EXPIRED"), NO, "AUTH_CODE_EXPIRED"),
    Row("capture", SCAN, said(400, "AUTH_CODE_INVALID"), NO, "AUTH_CODE_INVALID"),
    Row("capture", SCAN, said(400, "PARAM_ERROR"), NO, "PARAM_ERROR"),
    Row("capture", SCAN, said(403, "NOT_ENOUGH"), NO, "NOT_ENOUGH"),
    Row("capture", SCAN, said(400, "ORDER_CLOSED"), NO, "ORDER_CLOSED", True, True),
    Row("capture", SCAN, said(400, "ORDERPAID"), LOST, "ORDERPAID"),
    Row("capture", SCAN, said(400, "OUT_TRADE_NO_USED"), LOST, "OUT_TRADE_NO_USED"),
    Row("capture", SCAN, said(400, "INVALID_REQUEST"), LOST, "INVALID_REQUEST"),
    Row("capture", SCAN, said(400, "BRANDNEW"), LOST, "BRANDNEW"),
    Row("capture", SCAN, said(400, "BANKERROR"), LOST, "BANKERROR"),
    Row("capture", SCAN, said(403, "FREQUENCY_LIMITED"), LOST, "FREQUENCY_LIMITED", later=True),
    Row("capture", SCAN, said(429, "RATELIMIT_EXCEEDED"), LOST, "FREQUENCY_LIMITED", later=True),
    Row("capture", SCAN, said(500, "SYSTEM_ERROR"), LOST, "HTTP_500"),
    Row(
        "capture", NATIVE, lambda: v3_answer(200, {"code_url": "weixin://a"}), OPEN, "NOTPAY", True
    ),
    Row("capture", NATIVE, lambda: v3_answer(200, {}), LOST, "UNREADABLE"),
    Row("capture", NATIVE, said(403, "NO_AUTH"), NO, "NO_AUTH"),
    Row("capture", NATIVE, said(502, "X"), LOST, "HTTP_502"),
    Row("capture", H5, lambda: v3_answer(200, {"h5_url": "https://a"}), OPEN, "NOTPAY", True),
    Row("query", NATIVE, trade("SUCCESS"), YES, "", True, amount_fen=8640),
    Row("query", NATIVE, trade("REFUND"), YES, "REFUND", True, amount_fen=8640),
    Row("query", NATIVE, trade("NOTPAY"), OPEN, "NOTPAY", True, amount_fen=8640),
    Row("query", NATIVE, trade("NOTPAY", amount={}), OPEN, "NOTPAY", True),
    Row("query", NATIVE, trade("PAYERROR"), OPEN, "PAYERROR", True, amount_fen=8640),
    Row("query", NATIVE, trade("CLOSED"), NO, "CLOSED", True, True, amount_fen=8640),
    Row("query", SCAN, trade("REVOKED"), NO, "REVOKED", True, True, amount_fen=8640),
    Row("query", SCAN, trade("USERPAYING"), OPEN, "USERPAYING", True, amount_fen=8640),
    Row("query", SCAN, trade(""), LOST, "NO_STATE", True, amount_fen=8640),
    Row("query", SCAN, trade("SUCCESS", transaction_id=""), LOST, "UNREADABLE"),
    Row("query", SCAN, said(404, "ORDER_NOT_EXIST"), LOST, "ORDER_NOT_EXIST", False),
    Row("query", SCAN, said(404, "BRANDNEW"), LOST, "BRANDNEW"),
    Row("close", NATIVE, lambda: v3_answer(204), NO, "CLOSED", True, True),
    Row("close", NATIVE, lambda: v3_answer(200, {}), LOST, "HTTP_200"),
    Row("close", NATIVE, said(400, "ORDER_CLOSED"), NO, "ORDER_CLOSED", True, True),
    Row("close", NATIVE, said(400, "ORDERPAID"), LOST, "ORDERPAID", True),
    Row("close", NATIVE, said(404, "ORDER_NOT_EXIST"), LOST, "ORDER_NOT_EXIST", False),
    Row("close", NATIVE, said(400, "INVALID_REQUEST"), LOST, "INVALID_REQUEST"),
    Row("reverse", SCAN, lambda: v3_answer(200, transaction()), NO, "REVOKED", True, True),
    Row("reverse", SCAN, said(500, "SYSTEM_ERROR"), LOST, "HTTP_500"),
    Row("refund", NATIVE, back("PROCESSING"), OPEN, "PROCESSING", True, amount_fen=REFUND_FEN),
    Row("refund", NATIVE, back("SUCCESS"), YES, "", True, amount_fen=REFUND_FEN),
    Row("refund", NATIVE, said(400, "INVALID_REQUEST"), NO, "INVALID_REQUEST"),
    Row("refund", NATIVE, said(403, "USER_ACCOUNT_ABNORMAL"), NO, "USER_ACCOUNT_ABNORMAL"),
    Row("refund", NATIVE, said(403, "NOT_ENOUGH"), LOST, "NOT_ENOUGH", later=True),
    Row("refund", NATIVE, said(400, "FREQUENCY_LIMITED"), LOST, "FREQUENCY_LIMITED", later=True),
    Row("refund", NATIVE, said(400, "BRANDNEW"), LOST, "BRANDNEW", later=True),
    Row("refund", NATIVE, said(500, "SYSTEM_ERROR"), LOST, "HTTP_500"),
    Row("refund_query", NATIVE, back("SUCCESS"), YES, "", True, amount_fen=REFUND_FEN),
    Row("refund_query", NATIVE, back("CLOSED"), NO, "CLOSED", True, amount_fen=REFUND_FEN),
    Row("refund_query", NATIVE, back("ABNORMAL"), OPEN, "ABNORMAL", True, amount_fen=REFUND_FEN),
    Row("refund_query", NATIVE, back("BRANDNEW"), LOST, "BRANDNEW", True, amount_fen=REFUND_FEN),
    Row(
        "refund_query", NATIVE, said(404, "RESOURCE_NOT_EXISTS"), LOST, "RESOURCE_NOT_EXISTS", False
    ),
]
V2_ROWS = [
    Row("capture", MANDATE, wx.v2_answer, OPEN, "ACCEPTED", True),
    Row("capture", MANDATE, said2("ORDER_ACCEPTED"), OPEN, "ORDER_ACCEPTED", True),
    Row("capture", MANDATE, said2("NOTENOUGH"), NO, "NOTENOUGH"),
    Row("capture", MANDATE, said2("RULELIMIT"), NO, "RULELIMIT"),
    Row("capture", MANDATE, said2("CONTRACT_NOT_EXIST"), NO, "CONTRACT_NOT_EXIST"),
    Row("capture", MANDATE, said2("ORDERPAID"), LOST, "ORDERPAID"),
    Row("capture", MANDATE, said2("SYSTEMERROR"), LOST, "SYSTEMERROR"),
    Row("capture", MANDATE, said2("BRANDNEW"), LOST, "BRANDNEW"),
    Row("capture", MANDATE, said2("FREQUENCY_LIMITED"), LOST, "FREQUENCY_LIMITED", later=True),
    Row("query", MANDATE, deduction, YES, "", True, amount_fen=8640),
    Row("query", MANDATE, lambda: deduction("REFUND"), YES, "REFUND", True, amount_fen=8640),
    Row("query", MANDATE, lambda: deduction("ACCEPT"), OPEN, "ACCEPT", True, amount_fen=8640),
    Row("query", MANDATE, lambda: deduction("NOTPAY", total_fee="-"), OPEN, "NOTPAY", True),
    Row("query", MANDATE, lambda: deduction("CLOSED"), NO, "CLOSED", True, True, 8640),
    Row("query", MANDATE, lambda: deduction("PAYERROR"), NO, "PAYERROR", True, amount_fen=8640),
    Row("query", MANDATE, lambda: deduction("PAY_FAIL"), NO, "PAY_FAIL", True, amount_fen=8640),
    Row("query", MANDATE, lambda: deduction("BRANDNEW"), LOST, "BRANDNEW", True, amount_fen=8640),
    Row("query", MANDATE, said2("ORDERNOTEXIST"), LOST, "ORDERNOTEXIST", False),
    Row("query", MANDATE, said2("SYSTEMERROR"), LOST, "SYSTEMERROR"),
    Row("close", MANDATE, wx.v2_answer, NO, "CLOSED", True, True),
    Row("close", MANDATE, said2("ORDERCLOSED"), NO, "ORDERCLOSED", True, True),
    Row("close", MANDATE, said2("ORDERPAID"), LOST, "ORDERPAID", True),
    Row("close", MANDATE, said2("SYSTEMERROR"), LOST, "SYSTEMERROR"),
    Row("refund_query", MANDATE, lambda: v2_refund_state("SUCCESS"), YES, "", True, False, 1250),
    Row(
        "refund_query",
        MANDATE,
        lambda: v2_refund_state("REFUNDCLOSE"),
        NO,
        "CLOSED",
        True,
        False,
        1250,
    ),
    Row(
        "refund_query",
        MANDATE,
        lambda: v2_refund_state("CHANGE"),
        OPEN,
        "ABNORMAL",
        True,
        False,
        1250,
    ),
    Row("refund_query", MANDATE, lambda: v2_refund_state("X"), LOST, "X", True, False, 1250),
    Row("refund_query", MANDATE, said2("REFUNDNOTEXIST"), LOST, "REFUNDNOTEXIST", False),
    Row("agreement_query", MANDATE, lambda: contract("0"), YES, "CONTRACT_STATE_0", True),
    Row("agreement_query", MANDATE, lambda: contract("1"), NO, "CONTRACT_STATE_1", True, True),
    Row("agreement_query", MANDATE, lambda: contract("9"), OPEN, "CONTRACT_STATE_9", True),
    Row("agreement_query", MANDATE, lambda: contract("7"), LOST, "CONTRACT_STATE_7", True),
    Row("agreement_query", MANDATE, said2("CONTRACT_NOT_EXIST"), NO, "CONTRACT_NOT_EXIST", False),
    Row("unsign", MANDATE, contract, YES, "", True, True),
    Row("unsign", MANDATE, said2("CONTRACT_NOT_EXIST"), YES, "CONTRACT_NOT_EXIST", True, True),
    Row("unsign", MANDATE, said2("SYSTEMERROR"), LOST, "SYSTEMERROR"),
]


def assert_row(row: Row, found: ChannelAnswer) -> None:
    seen = (found.outcome, found.code, found.executed, found.closed, found.amount_fen)
    assert seen == (row.outcome, row.code, row.executed, row.closed, row.amount_fen)
    assert (found.retry_at is not None) == row.later


def name_of(row: Row) -> str:
    return f"{row.verb}-{row.mode.value}-{row.code or 'ok'}"


@pytest.mark.parametrize("row", V3_ROWS + V2_ROWS, ids=name_of)
def test_row(row: Row, vendor: Vendor) -> None:
    vendor.script = [row.answer()]
    assert_row(row, call(row.verb, row.mode, vendor.url))


def test_where_it_is_too_late_to_reverse_the_order_is_asked_for(vendor: Vendor) -> None:
    vendor.script = [v3_error(400, "REVERSE_EXPIRE"), trade("SUCCESS")()]
    found = call("reverse", SCAN, vendor.url)
    assert (found.outcome, found.amount_fen, found.closed) == (YES, 8640, False)


MISMATCHES = [
    ("query", NATIVE, trade("SUCCESS", mchid=wx.OTHER_MCHID)),
    ("query", NATIVE, trade("SUCCESS", appid=wx.OTHER_APPID)),
    ("query", NATIVE, trade("SUCCESS", out_trade_no="TXOTHER")),
    ("query", NATIVE, trade("SUCCESS", amount={"total": 8639, "currency": "CNY"})),
    ("query", NATIVE, trade("SUCCESS", amount={"total": 8640, "currency": "USD"})),
    ("query", NATIVE, trade("SUCCESS", amount={"total": 8640})),
    ("query", NATIVE, trade("SUCCESS", amount={"total": 8640.0, "currency": "CNY"})),
    ("query", NATIVE, trade("NOTPAY", amount={"total": 1})),
    ("query", NATIVE, trade("CLOSED", out_trade_no="TXOTHER")),
    ("capture", SCAN, trade("SUCCESS", amount={"total": 1, "currency": "CNY"})),
    ("capture", SCAN, lambda: v3_answer(204)),
    ("reverse", SCAN, lambda: v3_answer(200, transaction(out_trade_no="TXOTHER"))),
    ("refund", NATIVE, back("SUCCESS", out_refund_no="RFOTHER")),
    ("refund", NATIVE, back("SUCCESS", transaction_id="4200000000")),
    ("refund_query", NATIVE, back("SUCCESS", amount={"refund": 1, "total": 8640})),
    ("query", MANDATE, lambda: deduction(total_fee="1")),
    ("query", MANDATE, lambda: deduction(fee_type="USD")),
    ("query", MANDATE, lambda: deduction(out_trade_no="TXOTHER")),
    ("query", MANDATE, lambda: deduction(mch_id=wx.OTHER_MCHID)),
    ("query", MANDATE, lambda: deduction(appid=wx.OTHER_APPID)),
    ("refund_query", MANDATE, lambda: v2_refund_state("SUCCESS", refund_fee_1="1")),
    ("refund_query", MANDATE, lambda: v2_refund_state("SUCCESS", out_refund_no_1="RFX")),
    ("agreement_query", MANDATE, lambda: contract(plan_id="999")),
    ("unsign", MANDATE, lambda: contract(contract_id="Wx1")),
]


@pytest.mark.parametrize("verb, mode, answer", MISMATCHES)
def test_an_answer_about_something_else_is_never_believed(
    verb: str, mode: Mode, answer: Callable[[], bytes], vendor: Vendor
) -> None:
    vendor.script = [answer()]
    found = call(verb, mode, vendor.url)
    assert (found.outcome, found.code) == (LOST, "MISMATCH")


def test_the_mutual_tls_refund_answers_are_read_too(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate apart (the sandbox shows it), the refund of a deduction is judged like v3."""
    monkeypatch.setattr("billing.channels.wechat_pay.transport._client_cert", lambda _account: None)
    rows = [
        Row("refund", MANDATE, v2_refund_accepted, OPEN, "PROCESSING", True, False, 1250),
        Row("refund", MANDATE, lambda: v2_refund_accepted(refund_fee="1"), LOST, "MISMATCH",
            amount_fen=1),
        Row("refund", MANDATE, said2("TRADE_OVERDUE"), NO, "TRADE_OVERDUE"),
        Row("refund", MANDATE, said2("NOTENOUGH"), LOST, "NOTENOUGH", later=True),
        Row("refund", MANDATE, said2("FREQUENCY_LIMITED"), LOST, "FREQUENCY_LIMITED", later=True),
        Row("refund", MANDATE, said2("BIZERR_NEED_RETRY"), LOST, "BIZERR_NEED_RETRY", later=True),
    ]  # fmt: skip
    for row in rows:
        vendor.script = [row.answer()]
        assert_row(row, call(row.verb, row.mode, vendor.url))
    assert {seen.path for seen in vendor.received} == {"/secapi/pay/refund"}
