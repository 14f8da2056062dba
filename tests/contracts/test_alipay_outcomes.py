"""Every row of the Alipay outcome table, answered by a vendor on a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NamedTuple

import pytest

from billing.channels.alipay import Alipay, verdicts
from billing.channels.alipay.amounts import AmountRefused, fen_read
from billing.channels.base import (
    AgreementOrder,
    ChannelAnswer,
    Mode,
    Operation,
    PeriodRule,
)
from core import clock
from core.outcomes import Outcome, Unanswered
from tests.billing.channels.wechat_vendor import Vendor, raw_answer
from tests.contracts.alipay_samples import (
    AGREEMENT_NO,
    CONTRACT_CODE,
    NUMBER,
    PLAN_ID,
    REFUND_FEN,
    TRADE_NO,
    TRANSFER_NUMBER,
    USER_ID,
    account,
    answer,
    call,
    capture_order,
    refund_state,
    refused,
    said,
    trade,
)

pytestmark = pytest.mark.django_db

YES, NO, OPEN, LOST = Outcome.SUCCEEDED, Outcome.DECLINED, Outcome.PENDING, Outcome.UNKNOWN
SCAN, NATIVE, MANDATE = Mode.SCAN, Mode.NATIVE, Mode.AGREEMENT
PAY, PRE, QUERY = "alipay.trade.pay", "alipay.trade.precreate", "alipay.trade.query"
CLOSE, CANCEL = "alipay.trade.close", "alipay.trade.cancel"
BACK, BACK_QUERY = "alipay.trade.refund", "alipay.trade.fastpay.refund.query"
AGREED, UNSIGN = "alipay.user.agreement.query", "alipay.user.agreement.unsign"
OUT, OUT_QUERY = "alipay.fund.trans.uni.transfer", "alipay.fund.trans.common.query"
Script = Callable[[], list[bytes]]


class Row(NamedTuple):
    """Answers, one per call, and what must be understood: outcome, code, executed, closed."""

    verb: str
    mode: Mode
    script: Script
    outcome: Outcome
    code: str
    executed: bool | None = None
    closed: bool = False
    amount_fen: int | None = None
    later: bool = False  # a retry_at is named


def ok(method: str, **fields: object) -> Script:
    return lambda: [said(method, **fields)]


def no(method: str, sub_code: str, code: str = "40004") -> Script:
    return lambda: [refused(method, sub_code, code)]


def then(first: Script, second: Script) -> Script:
    return lambda: [*first(), *second()]


def state(status: str, **changes: object) -> Script:
    return ok(QUERY, **trade(status, **changes))


def back(status: str = "REFUND_SUCCESS", **changes: object) -> Script:
    return ok(BACK_QUERY, **refund_state(status, **changes))


def given(fund_change: str, **changes: object) -> Script:
    fields = {"out_trade_no": NUMBER, "trade_no": TRADE_NO, "refund_fee": "12.50"} | changes
    return ok(BACK, fund_change=fund_change, **fields)


def agreed(status: str, **changes: object) -> Script:
    fields = {
        "agreement_no": AGREEMENT_NO,
        "external_agreement_no": CONTRACT_CODE,
        "sign_scene": PLAN_ID,
        "status": status,
        "principal_id": USER_ID,
    } | changes
    return ok(AGREED, **fields)


def sent(method: str, status: str, **changes: object) -> Script:
    fields = {"out_biz_no": TRANSFER_NUMBER, "order_id": "20261120110070001", "status": status}
    return ok(method, **(fields | changes))


TAKEN = ok(PAY, out_trade_no=NUMBER, trade_no=TRADE_NO, total_amount="86.40")
CAPTURES = [
    Row("capture", SCAN, then(TAKEN, state("TRADE_SUCCESS")), YES, "", True, amount_fen=8640),
    Row("capture", SCAN, then(TAKEN, state("WAIT_BUYER_PAY")), OPEN, "WAIT_BUYER_PAY", True,
        amount_fen=8640),
    Row("capture", SCAN, then(TAKEN, state("TRADE_CLOSED")), NO, "TRADE_CLOSED", True, True, 8640),
    Row("capture", SCAN, then(TAKEN, no(QUERY, "ACQ.SYSTEM_ERROR")), OPEN, "TAKEN", True),
    Row("capture", SCAN, then(TAKEN, no(QUERY, "ACQ.TRADE_NOT_EXIST")), OPEN, "TAKEN", True),
    Row("capture", SCAN, then(TAKEN, state("TRADE_SUCCESS", total_amount="86.41")), LOST,
        "MISMATCH", amount_fen=8641),
    Row("capture", SCAN, ok(PAY, code="10003", msg="order success pay inprocess"), OPEN, "10003",
        True),
    Row("capture", SCAN, no(PAY, "isp.unknow-error", "20000"), LOST, "isp.unknow-error"),
    Row("capture", SCAN, no(PAY, "ACQ.SYSTEM_ERROR"), LOST, "ACQ.SYSTEM_ERROR"),
    Row("capture", SCAN, no(PAY, "ACQ.BRAND_NEW"), LOST, "ACQ.BRAND_NEW"),
    Row("capture", SCAN, no(PAY, "ACQ.PAYMENT_FAIL"), LOST, "ACQ.PAYMENT_FAIL"),
    Row("capture", SCAN, no(PAY, "ACQ.CONTEXT_INCONSISTENT"), LOST, "ACQ.CONTEXT_INCONSISTENT"),
    Row("capture", SCAN, no(PAY, "ACQ.TRADE_HAS_SUCCESS"), LOST, "ACQ.TRADE_HAS_SUCCESS", True),
    Row("capture", SCAN, no(PAY, "ACQ.TRADE_HAS_CLOSE"), NO, "ACQ.TRADE_HAS_CLOSE", True, True),
    Row("capture", SCAN, no(PAY, "isv.app-call-limited", "40005"), LOST, "40005", later=True),
    Row("capture", SCAN, no(PAY, "isv.missing-parameter", "40001"), NO, "isv.missing-parameter"),
    Row("capture", SCAN, no(PAY, "isv.invalid-signature", "40002"), LOST, "isv.invalid-signature"),
    Row("capture", MANDATE, no(PAY, "ACQ.AGREEMENT_NOT_EXIST"), NO, "ACQ.AGREEMENT_NOT_EXIST"),
    Row("capture", MANDATE, then(TAKEN, state("TRADE_SUCCESS")), YES, "", True, amount_fen=8640),
    Row("capture", NATIVE, ok(PRE, out_trade_no=NUMBER, qr_code="https://qr.alipay.com/bax1"),
        OPEN, "OFFERED", True),
    Row("capture", NATIVE, ok(PRE, out_trade_no=NUMBER), LOST, "UNREADABLE"),
    Row("capture", NATIVE, ok(PRE, out_trade_no="TXOTHER", qr_code="x"), LOST, "MISMATCH"),
    Row("capture", NATIVE, no(PRE, "ACQ.TOTAL_FEE_EXCEED"), NO, "ACQ.TOTAL_FEE_EXCEED"),
    Row("capture", NATIVE, no(PRE, "ACQ.SYSTEM_ERROR"), LOST, "ACQ.SYSTEM_ERROR"),
]  # fmt: skip
QUERIES = [
    Row("query", NATIVE, state("TRADE_SUCCESS"), YES, "", True, amount_fen=8640),
    Row("query", NATIVE, state("TRADE_FINISHED"), YES, "TRADE_FINISHED", True, amount_fen=8640),
    Row("query", NATIVE, state("WAIT_BUYER_PAY"), OPEN, "WAIT_BUYER_PAY", True, amount_fen=8640),
    Row("query", NATIVE, state("WAIT_BUYER_PAY", total_amount="-"), OPEN, "WAIT_BUYER_PAY", True),
    Row("query", NATIVE, state("TRADE_CLOSED"), NO, "TRADE_CLOSED", True, True, 8640),
    Row("query", SCAN, state("TRADE_MAYBE"), LOST, "TRADE_MAYBE", True, amount_fen=8640),
    Row("query", SCAN, state("-"), LOST, "NO_STATE", True, amount_fen=8640),
    Row("query", SCAN, state("TRADE_SUCCESS", trade_no=""), LOST, "UNREADABLE"),
    Row("query", SCAN, state("TRADE_SUCCESS", total_amount="86.405"), LOST, "UNREADABLE"),
    Row("query", SCAN, state("TRADE_SUCCESS", total_amount=86.4), LOST, "UNREADABLE"),
    Row("query", SCAN, no(QUERY, "ACQ.TRADE_NOT_EXIST"), LOST, "ACQ.TRADE_NOT_EXIST", False),
    Row("query", SCAN, no(QUERY, "ACQ.SYSTEM_ERROR"), LOST, "ACQ.SYSTEM_ERROR"),
    Row("query", SCAN, no(QUERY, "isv.app-call-limited", "40005"), LOST, "40005", later=True),
]
ENDINGS = [
    Row("close", NATIVE, ok(CLOSE, out_trade_no=NUMBER, trade_no=TRADE_NO), NO, "TRADE_CLOSED",
        True, True),
    Row("close", NATIVE, ok(CLOSE, out_trade_no="TXOTHER"), LOST, "MISMATCH"),
    Row("close", NATIVE, then(no(CLOSE, "ACQ.TRADE_STATUS_ERROR"), state("TRADE_SUCCESS")), YES,
        "", True, amount_fen=8640),
    Row("close", NATIVE, then(no(CLOSE, "ACQ.TRADE_STATUS_ERROR"), state("TRADE_CLOSED")), NO,
        "TRADE_CLOSED", True, True, 8640),
    Row("close", NATIVE, no(CLOSE, "ACQ.TRADE_NOT_EXIST"), LOST, "ACQ.TRADE_NOT_EXIST", False),
    Row("close", MANDATE, no(CLOSE, "ACQ.SYSTEM_ERROR"), LOST, "ACQ.SYSTEM_ERROR"),
    Row("reverse", SCAN, ok(CANCEL, out_trade_no=NUMBER, retry_flag="N", action="close"), NO,
        "CANCELLED", True, True),
    Row("reverse", SCAN, ok(CANCEL, out_trade_no=NUMBER, retry_flag="N", action="refund"), NO,
        "CANCELLED", True, True),
    Row("reverse", SCAN, ok(CANCEL, out_trade_no=NUMBER, retry_flag="Y"), LOST, "CANCEL_AGAIN",
        later=True),
    Row("reverse", SCAN, ok(CANCEL, out_trade_no=NUMBER, retry_flag="N"), LOST,
        "ACQ.TRADE_NOT_EXIST", False),
    Row("reverse", SCAN, ok(CANCEL, out_trade_no=NUMBER, retry_flag="N", action="keep"), LOST,
        "UNREADABLE"),
    Row("reverse", SCAN, ok(CANCEL, out_trade_no="TXOTHER", retry_flag="N", action="close"), LOST,
        "MISMATCH"),
    Row("reverse", SCAN, then(no(CANCEL, "ACQ.TRADE_CANCEL_TIME_OUT"), state("TRADE_SUCCESS")), YES,
        "", True, amount_fen=8640),
    Row("reverse", SCAN, no(CANCEL, "ACQ.SELLER_BALANCE_NOT_ENOUGH"), LOST,
        "ACQ.SELLER_BALANCE_NOT_ENOUGH", later=True),
    Row("reverse", SCAN, no(CANCEL, "AQC.SYSTEM_ERROR"), LOST, "AQC.SYSTEM_ERROR"),
]  # fmt: skip
REFUNDS = [
    Row("refund", SCAN, given("Y"), YES, "", True),
    Row("refund", SCAN, given("Y", refund_fee="86.40"), YES, "", True),
    Row("refund", SCAN, given("Y", refund_fee="12.49"), LOST, "MISMATCH"),
    Row("refund", SCAN, given("Y", refund_fee="86.41"), LOST, "MISMATCH"),
    Row("refund", SCAN, given("Y", refund_fee="12.501"), LOST, "MISMATCH"),
    Row("refund", SCAN, given("Y", out_trade_no="TXOTHER"), LOST, "MISMATCH"),
    Row("refund", SCAN, given("Y", trade_no="2026"), LOST, "MISMATCH"),
    Row("refund", SCAN, then(given("N"), back()), YES, "", True, amount_fen=REFUND_FEN),
    Row("refund", SCAN, then(given("N"), back("REFUND_PROCESSING")), OPEN, "REFUND_PROCESSING",
        True, amount_fen=REFUND_FEN),
    Row("refund", SCAN, then(given("N"), ok(BACK_QUERY)), OPEN, "FUND_CHANGE_N"),
    Row("refund", SCAN, then(given("N"), no(BACK_QUERY, "ACQ.SYSTEM_ERROR")), OPEN,
        "FUND_CHANGE_N"),
    Row("refund", SCAN, no(BACK, "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"), NO,
        "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"),
    Row("refund", SCAN, no(BACK, "ACQ.TRADE_HAS_FINISHED"), NO, "ACQ.TRADE_HAS_FINISHED"),
    Row("refund", SCAN, no(BACK, "ACQ.SELLER_BALANCE_NOT_ENOUGH"), LOST,
        "ACQ.SELLER_BALANCE_NOT_ENOUGH", later=True),
    Row("refund", SCAN, no(BACK, "ACQ.DISCORDANT_REPEAT_REQUEST"), LOST,
        "ACQ.DISCORDANT_REPEAT_REQUEST", later=True),
    Row("refund", SCAN, no(BACK, "isp.unknow-error", "20000"), LOST, "isp.unknow-error",
        later=True),
    Row("refund_query", SCAN, back(), YES, "", True, amount_fen=REFUND_FEN),
    Row("refund_query", SCAN, back("REFUND_FAIL"), NO, "REFUND_FAIL", True, amount_fen=REFUND_FEN),
    Row("refund_query", SCAN, back("REFUND_X"), LOST, "REFUND_X", True, amount_fen=REFUND_FEN),
    Row("refund_query", SCAN, back("-"), LOST, "NO_STATE", True, amount_fen=REFUND_FEN),
    Row("refund_query", SCAN, back(deposit_back_info={"dback_status": "F"}), OPEN, "ABNORMAL",
        True, amount_fen=REFUND_FEN),
    Row("refund_query", SCAN, back(deposit_back_info={"dback_status": "S"}), YES, "", True,
        amount_fen=REFUND_FEN),
    Row("refund_query", SCAN, back(out_request_no="RFX"), LOST, "MISMATCH", amount_fen=REFUND_FEN),
    Row("refund_query", SCAN, back(refund_amount="0.01"), LOST, "MISMATCH", amount_fen=1),
    Row("refund_query", SCAN, back(total_amount="86.41"), LOST, "MISMATCH", amount_fen=REFUND_FEN),
    Row("refund_query", SCAN, back(refund_amount="12.5001"), LOST, "UNREADABLE"),
    Row("refund_query", SCAN, ok(BACK_QUERY), LOST, "REFUND_NOT_EXIST", False),
    Row("refund_query", SCAN, no(BACK_QUERY, "ACQ.TRADE_NOT_EXIST"), LOST, "ACQ.TRADE_NOT_EXIST",
        False),
]  # fmt: skip
OTHERS = [
    Row("agreement_query", MANDATE, agreed("NORMAL"), YES, "NORMAL", True),
    Row("agreement_query", MANDATE, agreed("TEMP"), OPEN, "TEMP", True),
    Row("agreement_query", MANDATE, agreed("STOP"), NO, "STOP", True, True),
    Row("agreement_query", MANDATE, agreed("MAYBE"), LOST, "MAYBE", True),
    Row("agreement_query", MANDATE, agreed("NORMAL", principal_id=""), LOST, "UNREADABLE"),
    Row("agreement_query", MANDATE, agreed("NORMAL", sign_scene="INDUSTRY|GAME"), LOST, "MISMATCH"),
    Row("agreement_query", MANDATE, agreed("NORMAL", agreement_no="2"), LOST, "MISMATCH"),
    Row("agreement_query", MANDATE, no(AGREED, "USER_AGREEMENT_NOT_EXIST"), NO,
        "USER_AGREEMENT_NOT_EXIST", False),
    Row("agreement_query", MANDATE, no(AGREED, "SYSTEM_ERROR"), LOST, "SYSTEM_ERROR"),
    Row("unsign", MANDATE, ok(UNSIGN), YES, "", True, True),
    Row("unsign", MANDATE, no(UNSIGN, "USER_AGREEMENT_NOT_EXIST"), YES, "USER_AGREEMENT_NOT_EXIST",
        True, True),
    Row("unsign", MANDATE, no(UNSIGN, "SYSTEM_ERROR"), LOST, "SYSTEM_ERROR"),
    Row("transfer", SCAN, sent(OUT, "SUCCESS"), YES, "", True),
    Row("transfer", SCAN, sent(OUT, "DEALING"), OPEN, "DEALING", True),
    Row("transfer", SCAN, sent(OUT, "FAIL"), NO, "FAIL", True),
    Row("transfer", SCAN, sent(OUT, "SUCCESS", out_biz_no="TFX"), LOST, "MISMATCH"),
    Row("transfer", SCAN, no(OUT, "SYSTEM_ERROR"), LOST, "SYSTEM_ERROR"),
    Row("transfer", SCAN, no(OUT, "isp.unknow-error", "20000"), LOST, "isp.unknow-error"),
    Row("transfer", SCAN, no(OUT, "BRAND_NEW"), LOST, "BRAND_NEW"),
    Row("transfer", SCAN, no(OUT, "PAYEE_USER_INFO_ERROR"), NO, "PAYEE_USER_INFO_ERROR"),
    Row("transfer", SCAN, no(OUT, "PAYER_BALANCE_NOT_ENOUGH"), LOST, "PAYER_BALANCE_NOT_ENOUGH",
        later=True),
    Row("transfer_query", SCAN, sent(OUT_QUERY, "SUCCESS", trans_amount="12.50"), YES, "", True,
        amount_fen=REFUND_FEN),
    Row("transfer_query", SCAN, sent(OUT_QUERY, "FAIL", error_code="PAYEE_X"), NO, "PAYEE_X", True),
    Row("transfer_query", SCAN, sent(OUT_QUERY, "REFUND"), NO, "RETURNED", True),
    Row("transfer_query", SCAN, sent(OUT_QUERY, "SUCCESS", trans_amount="12.51"), LOST, "MISMATCH",
        amount_fen=1251),
    Row("transfer_query", SCAN, sent(OUT_QUERY, "SUCCESS", trans_amount="12.505"), LOST,
        "UNREADABLE"),
    Row("transfer_query", SCAN, no(OUT_QUERY, "ORDER_NOT_EXIST"), LOST, "ORDER_NOT_EXIST", False),
]  # fmt: skip
ROWS = CAPTURES + QUERIES + ENDINGS + REFUNDS + OTHERS


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    played = Vendor()
    played.start()
    yield played
    played.stop()


def assert_row(row: Row, found: ChannelAnswer) -> None:
    seen = (found.outcome, found.code, found.executed, found.closed, found.amount_fen)
    assert seen == (row.outcome, row.code, row.executed, row.closed, row.amount_fen)
    assert (found.retry_at is not None) == row.later


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.verb}-{row.mode}-{row.code or 'ok'}")
def test_row(row: Row, vendor: Vendor) -> None:
    vendor.script = list(row.script())
    assert_row(row, call(row.verb, row.mode, vendor.url))


FINAL = [
    ("capture", PAY, verdicts.CAPTURE_REFUSED),
    ("refund", BACK, verdicts.REFUND_REFUSED),
    ("transfer", OUT, verdicts.TRANSFER_REFUSED),
]


@pytest.mark.parametrize("verb, method, codes", FINAL)
def test_every_final_code_declines(
    verb: str, method: str, codes: frozenset[str], vendor: Vendor
) -> None:
    for code in sorted(codes):
        vendor.script = [refused(method, code)]
        assert call(verb, SCAN, vendor.url).outcome is NO, code


GOOD = '{"code":"10000","out_trade_no":"TX20261120A0001","trade_status":"TRADE_SUCCESS"}'
UNBELIEVED: dict[str, tuple[Callable[[], bytes], str]] = {
    "unsigned error": (
        lambda: raw_answer(200, b'{"error_response":{"code":"40002"}}', {}), "UNVERIFIED"),
    "no sign": (lambda: raw_answer(200, f'{{"alipay_trade_query_response":{GOOD}}}'.encode(), {}),
                "UNVERIFIED"),
    "stranger's key": (lambda: answer(QUERY, GOOD, by="stranger"), "UNVERIFIED"),
    "our own key": (lambda: answer(QUERY, GOOD, by="merchant"), "UNVERIFIED"),
    "another certificate": (
        lambda: answer(QUERY, GOOD, beside='"alipay_cert_sn":"0",'), "UNVERIFIED"),
    "another method's reply": (lambda: answer(PAY, GOOD), "UNREADABLE"),
    "two replies": (
        lambda: answer(QUERY, GOOD, beside=f'"alipay_trade_query_response":{GOOD},'), "UNREADABLE"),
    "reply and error": (
        lambda: answer(QUERY, GOOD, beside=f'"error_response":{GOOD},'), "UNREADABLE"),
    "a key twice inside": (lambda: answer(QUERY, '{"code":"40004","code":"10000"}'), "UNREADABLE"),
    "not an object": (lambda: answer(QUERY, '"10000"'), "UNREADABLE"),
    "no JSON": (lambda: raw_answer(200, b"<html>busy</html>", {}), "UNREADABLE"),
    "cut": (lambda: raw_answer(200, b'{"alipay_trade_query_response":{"code"', {}), "UNREADABLE"),
    "not UTF-8": (lambda: raw_answer(200, b'{"sign":"\xff"}', {}), "UNREADABLE"),
    "server error": (lambda: raw_answer(502, b"<html>", {}), "HTTP_502"),
    "redirect": (lambda: raw_answer(302, b"", {"Location": "http://127.0.0.1:9/"}), "HTTP_302"),
    "too often": (lambda: raw_answer(429, b"", {"Retry-After": "7"}), "HTTP_429"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNBELIEVED)
def test_what_cannot_be_believed_says_nothing(name: str, vendor: Vendor) -> None:
    make, code = UNBELIEVED[name]
    vendor.script = [make()]
    found = call("query", SCAN, vendor.url)
    assert (found.outcome, found.code, found.executed) == (LOST, code, None)
    assert (found.retry_at is not None) == (name == "too often")


def test_an_offer_that_is_out_is_no_end_and_one_that_ran_out_is(vendor: Vendor) -> None:
    vendor.script = [refused(QUERY, "ACQ.TRADE_NOT_EXIST")]
    for mode, s_left, outcome, closed, executed in (
        (NATIVE, 60, OPEN, False, None),
        (Mode.H5, -59, OPEN, False, None),
        (Mode.H5, -60, NO, True, False),
        (NATIVE, -3600, NO, True, False),
        (SCAN, 60, LOST, False, False),
    ):
        until = clock.now() + timedelta(seconds=s_left)
        found = call("query", mode, vendor.url, offered_until=until)
        assert (found.outcome, found.closed, found.executed) == (outcome, closed, executed)


@pytest.mark.parametrize("text", ["86.405", "86.400", "-1.00", "1e2", "NaN", "１.00", "", " 1", 86])
def test_an_amount_that_is_not_exact_raises(text: object) -> None:
    with pytest.raises(AmountRefused):
        fen_read(text)
    assert (fen_read("86.4"), fen_read("86.40"), fen_read("86"), fen_read("0.01")) == (
        8640, 8640, 8600, 1,
    )  # fmt: skip


def test_no_host_means_it_never_left() -> None:
    for verb, executed in (("capture", False), ("refund", False), ("query", None)):
        found = call(verb, SCAN, "http://127.0.0.1:9")
        assert (found.outcome, found.code, found.executed) == (LOST, "NOT_SENT", executed)


def test_wrong_uses_are_refused_before_anything_is_sent() -> None:
    channel, merchant = Alipay(), account()
    bad = channel.capture(capture_order(merchant, SCAN, auth_code="130012345678901234"))
    assert (bad.outcome, bad.executed) == (NO, False)
    for verb, mode in (("close", SCAN), ("reverse", NATIVE), ("capture", Mode.CASH)):
        with pytest.raises(ValueError, match=r"alipay does|scanned payment"):
            call(verb, mode, "http://127.0.0.1:9")
    today = clock.today()
    for plan, period in (
        (PLAN_ID, PeriodRule(1, "MONTH", today, 100)),
        (f"cycle:{PLAN_ID}", None),
        (f"cycle:{PLAN_ID}", PeriodRule(1, "MONTH", today.replace(day=29), 100)),
        (f"cycle:{PLAN_ID}", PeriodRule(6, "DAY", today, 100)),
        (f"cycle:{PLAN_ID}", PeriodRule(1, "MONTH", today, 0)),
    ):
        order = AgreementOrder(merchant, CONTRACT_CODE, plan, "张三", "", period)
        with pytest.raises(ValueError, match=r"period|monthly"):
            channel.sign_url(order)


def test_every_operation_says_what_an_unanswered_call_allows() -> None:
    assert set(Alipay.unanswered) == set(Operation)
    unsafe = {op for op, allowed in Alipay.unanswered.items() if allowed is not Unanswered.RESEND}
    assert unsafe == {Operation.CAPTURE, Operation.TRANSFER}
