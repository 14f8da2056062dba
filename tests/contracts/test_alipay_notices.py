"""Genuine Alipay notices are believed, each exactly as far as its proof reaches."""

from __future__ import annotations

import pytest

from billing.channels.alipay import Alipay
from billing.channels.base import NoticeKind, NoticeRefused
from core.outcomes import Outcome
from tests.contracts.alipay_samples import (
    AGREEMENT,
    AGREEMENT_NO,
    APP_ID,
    CAPTURE,
    CONTRACT_CODE,
    NUMBER,
    PID,
    PLAN_ID,
    REFUND_NUMBER,
    TRADE_NO,
    USER_ID,
    account,
    certificate,
    deposit_back,
    form,
    paid,
    read,
    refunded,
    signed,
    stamp,
    unsigned,
)


def test_genuine_payment_notice_is_accepted() -> None:
    notice = read(CAPTURE, form(paid()))
    assert notice.event_no == "2026112000222100000000000000000001"
    assert (notice.number, notice.merchant_no, notice.app_id) == (NUMBER, PID, APP_ID)
    answer = notice.answer
    assert (answer.outcome, answer.code, answer.amount_fen) == (Outcome.SUCCEEDED, "", 8640)
    assert (answer.channel_no, answer.payer_id) == (TRADE_NO, USER_ID)
    assert answer.occurred_at.isoformat() == "2026-11-20T09:59:58+08:00"


@pytest.mark.parametrize("by", ["platform", "previous"])
def test_both_keys_are_believed_while_one_is_exchanged(by: str) -> None:
    assert read(CAPTURE, form(paid(), by=by)).number == NUMBER


def test_a_certificate_that_is_named_must_be_ours() -> None:
    certified = account(alipay_cert=certificate("platform"))
    named = Alipay().parse_notice(CAPTURE, {}, form(paid()), certified)
    assert named.number == NUMBER


@pytest.mark.parametrize("hours", [0, 25.9, -0.1])
def test_as_late_as_the_last_repetition_is_young_enough(hours: float) -> None:
    assert read(CAPTURE, form(paid(notify_time=stamp(hours)))).number == NUMBER


@pytest.mark.parametrize(
    "status, outcome, closed",
    [
        ("TRADE_SUCCESS", Outcome.SUCCEEDED, False),
        ("TRADE_FINISHED", Outcome.SUCCEEDED, False),
        ("TRADE_CLOSED", Outcome.DECLINED, True),
        ("WAIT_BUYER_PAY", Outcome.PENDING, False),
    ],
)
def test_each_state(status: str, outcome: Outcome, closed: bool) -> None:
    answer = read(CAPTURE, form(paid(trade_status=status))).answer
    assert (answer.outcome, answer.closed, answer.executed) == (outcome, closed, True)


@pytest.mark.parametrize("status, back", [("TRADE_SUCCESS", "12.50"), ("TRADE_CLOSED", "86.40")])
def test_a_refund_is_never_read_as_a_payment(status: str, back: str) -> None:
    notice = read(CAPTURE, form(refunded(trade_status=status, refund_fee=back)))
    assert notice.kind is NoticeKind.REFUND
    assert (notice.number, notice.original_number) == (REFUND_NUMBER, NUMBER)
    # the sum of all refunds says nothing about this one: it rings, and the query tells
    answer = notice.answer
    assert (answer.outcome, answer.code) == (Outcome.PENDING, "CONFIRM_BY_QUERY")
    assert answer.amount_fen is None and answer.retry_at is not None


def test_a_refund_a_bank_sent_back_rings() -> None:
    notice = read(CAPTURE, form(deposit_back()))
    assert (notice.kind, notice.number) == (NoticeKind.REFUND, REFUND_NUMBER)
    assert (notice.original_number, notice.answer.code) == (NUMBER, "CONFIRM_BY_QUERY")


@pytest.mark.parametrize("active", [True, False])
def test_agreement_notices(active: bool) -> None:
    notice = read(AGREEMENT, form(signed() if active else unsigned()))
    assert (notice.number, notice.contract_id) == (CONTRACT_CODE, AGREEMENT_NO)
    assert (notice.plan_id, notice.agreement_active) == (PLAN_ID, active)
    assert notice.answer.payer_id == USER_ID
    assert notice.answer.occurred_at.isoformat() == "2026-11-20T09:59:58+08:00"


def test_a_periodic_agreement_names_its_plan() -> None:
    notice = read(AGREEMENT, form(signed(personal_product_code="CYCLE_PAY_AUTH_P")))
    assert notice.plan_id == f"cycle:{PLAN_ID}"


def test_an_open_id_stands_for_a_user() -> None:
    newer = signed(alipay_user_id="-", alipay_open_id="074a1CcTG1LelxKe4xQC0zgNdId0nxi95")
    assert read(AGREEMENT, form(newer)).answer.payer_id.startswith("074a1")
    buyer = paid(buyer_id="-", buyer_open_id="01501o8f93I4nJAGB1jG4ONtti")
    assert read(CAPTURE, form(buyer)).answer.payer_id.startswith("01501")


def test_the_same_event_bears_the_same_number_however_often_it_is_told() -> None:
    first, again = (read(CAPTURE, form(paid(notify_time=stamp(h)))) for h in (0.5, 0.1))
    assert (first.event_no, first.answer) == (again.event_no, again.answer)


def test_the_reply_is_seven_letters() -> None:
    taken = Alipay().notice_reply(CAPTURE, accepted=True, message="OK")
    assert (taken.status, taken.body) == (200, b"success")
    refused = Alipay().notice_reply(CAPTURE, accepted=False, message="refused")
    assert (refused.status, refused.body) == (400, b"fail")


def test_a_missing_key_is_a_fault_of_ours_not_of_the_notice() -> None:
    with pytest.raises(NoticeRefused):
        Alipay().parse_notice(CAPTURE, {}, form(paid(), by="stranger"), account())
    with pytest.raises(Exception, match="alipay_public_key"):
        Alipay().parse_notice(CAPTURE, {}, form(paid()), account(alipay_public_key=""))
