"""Genuine notices are believed, each exactly as far as its proof reaches."""

from __future__ import annotations

import pytest

from billing.channels.base import NoticeRefused
from billing.channels.wechat_pay import WechatPay
from core.outcomes import Outcome
from tests.billing.channels import wechat_vendor as wx
from tests.contracts.wechat_samples import (
    AGREEMENT,
    CAPTURE,
    DEDUCTED,
    GOOD_SIGN,
    GOOD_V2,
    HMAC_V2,
    PAID,
    REFUND,
    RETURNED,
    SIGNED,
    envelope,
    paid,
    read,
    refunded,
    v2_refund,
)


def test_genuine_payment_notice_is_accepted() -> None:
    notice = read(CAPTURE, wx.v3_headers(PAID), PAID)
    assert notice.event_no == "EV-2026112000001"
    assert (notice.number, notice.merchant_no, notice.app_id) == (wx.NUMBER, wx.MCHID, wx.APPID)
    assert notice.currency == "CNY"
    assert notice.answer.outcome is Outcome.SUCCEEDED
    assert notice.answer.amount_fen == 8640
    assert notice.answer.channel_no == wx.CHANNEL_NO
    assert notice.answer.occurred_at.isoformat() == "2026-11-20T09:59:58+08:00"


@pytest.mark.parametrize("by, serial", [("platform", wx.KEY_ID), ("previous", wx.OLD_KEY_ID)])
def test_both_keys_are_believed_while_one_is_exchanged(by: str, serial: str) -> None:
    assert read(CAPTURE, wx.v3_headers(PAID, by=by, serial=serial), PAID).number == wx.NUMBER


@pytest.mark.parametrize("age_s", [299, -299])
def test_under_five_minutes_is_young_enough(age_s: int) -> None:
    assert read(CAPTURE, wx.v3_headers(PAID, age_s=age_s), PAID).number == wx.NUMBER


@pytest.mark.parametrize("lower", [False, True])
def test_header_names_have_no_case_and_the_type_may_be_absent(lower: bool) -> None:
    headers = wx.v3_headers(PAID)
    del headers["Wechatpay-Signature-Type"]
    headers = {k.lower() if lower else k.upper(): v for k, v in headers.items()}
    assert read(CAPTURE, headers, PAID).number == wx.NUMBER


def test_foreign_currency_is_read_but_never_a_success() -> None:
    body = envelope(wx.sealed_resource(paid(amount={"total": 8640, "currency": "HKD"})))
    notice = read(CAPTURE, wx.v3_headers(body), body)
    assert (notice.currency, notice.answer.outcome) == ("HKD", Outcome.UNKNOWN)
    assert notice.answer.code == "MISMATCH"


@pytest.mark.parametrize(
    "status, outcome, code",
    [
        ("SUCCESS", Outcome.SUCCEEDED, ""),
        ("CLOSED", Outcome.DECLINED, "CLOSED"),
        ("ABNORMAL", Outcome.PENDING, "ABNORMAL"),
    ],
)
def test_genuine_refund_notice_is_accepted(status: str, outcome: Outcome, code: str) -> None:
    sealed_one = wx.sealed_resource(refunded(refund_status=status), aad="refund")
    body = envelope(sealed_one, event_type=f"REFUND.{status}")
    notice = read(REFUND, wx.v3_headers(body), body)
    assert (notice.number, notice.original_number) == (wx.REFUND_NUMBER, wx.NUMBER)
    assert (notice.answer.outcome, notice.answer.code) == (outcome, code)
    assert notice.answer.amount_fen == 1250


def test_genuine_deduction_notice_is_accepted_and_recognised_again() -> None:
    first, again = read(CAPTURE, {}, GOOD_V2), read(CAPTURE, {}, GOOD_V2)
    assert first == again
    assert first.event_no.startswith("PAP-")
    assert (first.number, first.contract_id) == (wx.NUMBER, wx.CONTRACT_ID)
    assert first.answer.outcome is Outcome.SUCCEEDED
    assert (first.answer.amount_fen, first.answer.channel_no) == (8640, wx.CHANNEL_NO)
    assert first.answer.occurred_at.isoformat() == "2026-11-20T09:59:58+08:00"


@pytest.mark.parametrize(
    "changes, outcome, closed",
    [
        ({"err_code": "NOTENOUGH", "trade_state": "CLOSED"}, Outcome.DECLINED, True),
        ({"err_code": "RULELIMIT", "trade_state": "-"}, Outcome.DECLINED, False),
        ({"err_code": "SYSTEMERROR", "trade_state": "-"}, Outcome.UNKNOWN, False),
        ({"err_code": "BRANDNEW", "trade_state": "-"}, Outcome.UNKNOWN, False),
        ({"err_code": "NOTENOUGH", "trade_state": "SUCCESS"}, Outcome.UNKNOWN, False),
    ],
)
def test_failed_deduction_notice(changes: dict, outcome: Outcome, closed: bool) -> None:
    body = wx.v2_body(**{**DEDUCTED, "result_code": "FAIL", **changes})
    answer = read(CAPTURE, {}, body).answer
    assert (answer.outcome, answer.closed, answer.code) == (outcome, closed, changes["err_code"])


def test_deduction_success_without_state_waits_for_the_query() -> None:
    answer = read(CAPTURE, {}, wx.v2_body(**{**DEDUCTED, "trade_state": "-"})).answer
    assert (answer.outcome, answer.code) == (Outcome.UNKNOWN, "NO_STATE")


@pytest.mark.parametrize("change, active", [("ADD", True), ("DELETE", False)])
def test_genuine_agreement_notice_is_accepted(change: str, active: bool) -> None:
    notice = read(AGREEMENT, {}, wx.v2_body(**{**SIGNED, "change_type": change}))
    assert notice.agreement_active is active
    assert (notice.number, notice.contract_id) == (wx.CONTRACT_CODE, wx.CONTRACT_ID)
    assert (notice.plan_id, notice.answer.payer_id) == (wx.PLAN_ID, wx.OPENID)
    assert read(AGREEMENT, {}, wx.v2_body(**SIGNED)).event_no.startswith("AGR-")


def test_signing_and_ending_are_two_events() -> None:
    ended = wx.v2_body(**{**SIGNED, "change_type": "DELETE"})
    assert read(AGREEMENT, {}, GOOD_SIGN).event_no != read(AGREEMENT, {}, ended).event_no


def test_genuine_v2_refund_notice_only_rings() -> None:
    """It is encrypted without integrity, so it asks for a query and is believed in nothing."""
    body = v2_refund(wx.sealed_req_info(RETURNED))
    notice = read(REFUND, {}, body)
    assert (notice.number, notice.original_number) == (wx.REFUND_NUMBER, wx.NUMBER)
    assert (notice.answer.outcome, notice.answer.code) == (Outcome.PENDING, "CONFIRM_BY_QUERY")
    assert (notice.answer.message, notice.answer.amount_fen) == ("SUCCESS", 1250)


def test_hmac_account_believes_hmac_only() -> None:
    account = wx.account(sign_type="HMAC-SHA256")
    assert WechatPay().parse_notice(CAPTURE, {}, HMAC_V2, account).number == wx.NUMBER
    with pytest.raises(NoticeRefused):
        WechatPay().parse_notice(CAPTURE, {}, GOOD_V2, account)


@pytest.mark.parametrize("accepted, status, word", [(True, 200, b"SUCCESS"), (False, 400, b"FAIL")])
def test_the_reply_speaks_to_both_generations(accepted: bool, status: int, word: bytes) -> None:
    reply = WechatPay().notice_reply(CAPTURE, accepted=accepted, message="no & yes")
    assert reply.status == status
    assert b"<return_code>" + word in reply.body
