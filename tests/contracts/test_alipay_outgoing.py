"""Money that goes back or out by Alipay, and agreements, against the sandbox over real sockets."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from billing.channels.base import Mode, NoticeKind, PayeeKind, PeriodRule, RefundOrder
from core import clock
from tests.contracts.alipay_house import (
    AMOUNT,
    LOST,
    NO,
    OPEN,
    YES,
    House,
    alipay_house,  # noqa: F401 - fixtures are found by name
)

pytestmark = pytest.mark.django_db
DAY_S = 86_400


def test_a_refund_sent_twice_is_paid_once(house: House) -> None:
    order = house.paid_scan()
    refund = house.refund(order, 1250)
    for _again in range(2):
        assert house.channel.refund(refund).outcome is YES
    assert house.book("refunded") == 1250
    other = replace(refund, amount_fen=1251)
    discordant = house.channel.refund(other)
    assert (discordant.outcome, discordant.code) == (LOST, "ACQ.DISCORDANT_REPEAT_REQUEST")
    assert house.book("refunded") == 1250


def test_parts_up_to_the_total_and_not_a_fen_more(house: House) -> None:
    order = house.paid_scan()
    for part in (8000, 639):
        assert house.channel.refund(house.refund(order, part)).outcome is YES
    too_much = house.channel.refund(house.refund(order, 2))
    assert (too_much.outcome, too_much.code) == (NO, "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
    assert house.channel.refund(house.refund(order, 1)).outcome is YES
    assert house.book("refunded") == AMOUNT
    # all of it is back: the trade is closed, which says that nothing stays taken
    asked = house.channel.query(house.reference(order))
    assert (asked.outcome, asked.closed) == (NO, True)
    assert house.act("show_wallet")["balance_fen"] == 10_000_000


@pytest.mark.django_db(transaction=True)
def test_refunds_at_once_never_exceed_the_total(house: House) -> None:
    """The senders keep their calls on record by connections of their own, past any rollback."""
    order = house.paid_scan()
    refunds = [house.refund(order, 3000) for _ in range(5)]

    def send(refund: RefundOrder) -> None:
        try:
            house.channel.refund(refund)
        finally:
            connections.close_all()

    senders = [threading.Thread(target=send, args=(refund,), daemon=True) for refund in refunds]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(20)
    found = [house.channel.refund_query(refund).outcome for refund in refunds]
    assert sorted(found) == sorted([YES, YES, LOST, LOST, LOST])
    assert house.book("refunded") == 6000


@pytest.mark.parametrize(
    "fault, given",
    [
        ("drop_before", 0),
        ("http_500_before", 0),
        ("drop_after", 500),
        ("http_500_after", 500),
        ("bad_signature", 500),
    ],
)
def test_a_lost_refund_is_queried_and_sent_again_under_its_number(
    house: House,
    fault: str,
    given: int,
) -> None:
    refund = house.refund(house.paid_scan(), 500)
    house.fault("refund", fault)
    assert house.channel.refund(refund).outcome is LOST
    asked = house.channel.refund_query(refund)
    assert (asked.outcome, asked.executed) == ((YES, True) if given else (LOST, False))
    assert house.channel.refund(refund).outcome is YES
    assert house.book("refunded") == 500


def test_a_declined_refund_and_one_of_an_unpaid_trade(house: House) -> None:
    order = house.paid_scan()
    house.fault("refund", "decline")
    assert house.channel.refund(house.refund(order, 500)).outcome is NO
    unpaid = house.scan(200_000)
    house.channel.capture(unpaid)
    found = house.channel.refund(house.refund(unpaid, 500))
    assert (found.outcome, found.code) == (NO, "ACQ.TRADE_STATUS_ERROR")


def test_past_its_time_a_trade_is_finished_and_gives_nothing_back(house: House) -> None:
    order = house.paid_scan()
    house.advance(365 * DAY_S + 1)
    assert house.channel.query(house.reference(order)).code == "TRADE_FINISHED"
    found = house.channel.refund(house.refund(order, 500))
    assert (found.outcome, found.code) == (NO, "ACQ.TRADE_HAS_FINISHED")


@pytest.mark.parametrize("status, outcome", [("SUCCESS", YES), ("FAIL", NO)])
def test_a_refund_without_an_end_is_neither(
    house: House,
    status: str,
    outcome: object,
) -> None:
    refund = house.refund(house.paid_scan(), 500)
    house.fault("refund", "never_final")
    sent = house.channel.refund(refund)
    assert (sent.outcome, sent.code) == (OPEN, "REFUND_PROCESSING")
    assert house.book("open") == 500
    pid = house.account.merchant_no
    house.sandbox.act("alipay", "finish_refund", refund.number, pid=pid, status=status)
    assert house.channel.refund_query(refund).outcome is outcome


def test_a_refund_the_bank_sent_back_calls_a_person(house: House) -> None:
    refund = house.refund(house.paid_scan(), 500)
    house.fault("refund", "returned_after_success")
    assert house.channel.refund(refund).outcome is YES
    rung = house.told(NoticeKind.CAPTURE, 3, NoticeKind.REFUND)
    assert (rung.number, rung.answer.code) == (refund.number, "CONFIRM_BY_QUERY")
    found = house.channel.refund_query(refund)
    assert (found.outcome, found.code, found.amount_fen) == (OPEN, "ABNORMAL", 500)
    assert (house.book("refunded"), house.book("returned")) == (500, 500)


def test_agreement_is_signed_deducted_queried_and_ended(house: House) -> None:
    mandate = house.agreement()
    order = house.order(Mode.AGREEMENT, contract_id=mandate.contract_id)
    found = house.channel.capture(order)
    assert (found.outcome, found.payer_id) == (YES, house.user_id)
    assert house.told(NoticeKind.CAPTURE, 2).number == order.number
    for asked in (mandate, replace(mandate, contract_id="")):
        active = house.channel.agreement_query(asked)
        assert (active.outcome, active.channel_no) == (YES, mandate.contract_id)
        assert active.payer_id == house.user_id
    for _again in range(2):
        assert house.channel.unsign(mandate, reason="患者要求").outcome is YES
    ended = house.told(NoticeKind.AGREEMENT, 3)
    assert (ended.agreement_active, ended.contract_id) == (False, mandate.contract_id)
    asked = house.channel.agreement_query(mandate)
    assert (asked.outcome, asked.closed) == (NO, True)
    late = house.channel.capture(house.order(Mode.AGREEMENT, contract_id=mandate.contract_id))
    assert (late.outcome, late.code) == (NO, "ACQ.AGREEMENT_STATUS_NOT_NORMAL")
    assert house.book("captured") == AMOUNT


def test_the_payer_ends_an_agreement_in_the_wallet(house: House) -> None:
    mandate = house.agreement()
    house.act("unsign", agreement_no=mandate.contract_id)
    ended = house.told(NoticeKind.AGREEMENT, 2)
    assert (ended.agreement_active, ended.number) == (False, mandate.contract_code)
    unknown = replace(mandate, contract_code="AGNOBODY", contract_id="")
    asked = house.channel.agreement_query(unknown)
    assert (asked.outcome, asked.executed) == (NO, False)


def test_limits_of_the_scene_decline_and_leave_no_trade(house: House) -> None:
    mandate = house.agreement(plan=1)
    order = house.order(Mode.AGREEMENT, 50_001, contract_id=mandate.contract_id)
    assert house.channel.capture(order).code == "ACQ.TOTAL_FEE_EXCEED"
    assert house.channel.query(house.reference(order)).executed is False
    for _each in range(5):
        order = house.order(Mode.AGREEMENT, 50_000, contract_id=mandate.contract_id)
        assert house.channel.capture(order).outcome is YES
    order = house.order(Mode.AGREEMENT, 1, contract_id=mandate.contract_id)
    sixth = house.channel.capture(order)
    assert sixth.code == "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR"
    house.act("set_balance", balance_fen=0)
    house.advance(DAY_S)
    order = house.order(Mode.AGREEMENT, 1, contract_id=mandate.contract_id)
    assert house.channel.capture(order).code == "ACQ.BUYER_BALANCE_NOT_ENOUGH"


def test_a_periodic_agreement_holds_its_rule(house: House) -> None:
    first_on = clock.today().replace(day=21)
    rule = PeriodRule(1, "MONTH", first_on, single_fen=10_000, total_fen=15_000, times=12)
    mandate = house.agreement(plan=2, period=rule)

    def taken(amount_fen: int, plan_id: str = mandate.plan_id) -> str:
        more = {"contract_id": mandate.contract_id, "plan_id": plan_id}
        return house.channel.capture(house.order(Mode.AGREEMENT, amount_fen, **more)).code

    assert taken(9_000) == "ACQ.CYCLE_PAY_DATE_NOT_MATCH"
    house.advance(DAY_S)
    assert taken(9_000, plan_id="") == "ACQ.INVALID_PARAMETER"
    assert taken(10_001) == "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED"
    assert taken(9_000) == ""
    assert taken(9_000) == "ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED"


def test_transfer_reaches_the_named_person_once(house: House) -> None:
    order = house.transfer()
    assert house.channel.transfer_query(order).executed is False
    for _again in range(2):
        found = house.channel.transfer(order)
        assert (found.outcome, found.executed) == (YES, True)
    asked = house.channel.transfer_query(order)
    assert (asked.outcome, asked.amount_fen, asked.channel_no) == (YES, AMOUNT, found.channel_no)
    assert house.book("transferred") == AMOUNT
    assert house.act("show_wallet")["balance_fen"] == 10_000_000 + AMOUNT


def test_transfer_to_another_name_or_nobody_is_refused(house: House) -> None:
    wrong = house.channel.transfer(house.transfer(payee_name="李四"))
    assert (wrong.outcome, wrong.code) == (NO, "PAYEE_USER_INFO_ERROR")
    login = {"payee": "13800001234", "payee_kind": PayeeKind.LOGIN}
    assert house.channel.transfer(house.transfer(**login)).code == "PAYEE_NOT_EXIST"
    assert house.channel.transfer(house.transfer(9)).outcome is NO
    with pytest.raises(ValueError, match="names its payee"):
        house.channel.transfer(house.transfer(payee_name=" "))
    secrets = {k: v for k, v in house.account.secrets.items() if "cert" not in k}
    house.account = replace(house.account, secrets={**secrets})
    with pytest.raises(ImproperlyConfigured):
        house.channel.transfer(house.transfer())
    assert house.book("transferred") == 0


@pytest.mark.parametrize("fault, paid", [("drop_before", 0), ("drop_after", AMOUNT)])
def test_a_lost_transfer_is_queried_then_sent_again_as_it_was(
    house: House,
    fault: str,
    paid: int,
) -> None:
    order = house.transfer()
    house.fault("transfer", fault)
    assert house.channel.transfer(order).outcome is LOST
    asked = house.channel.transfer_query(order)
    assert (asked.outcome, asked.executed) == ((YES, True) if paid else (LOST, False))
    assert house.channel.transfer(order).outcome is YES
    assert house.book("transferred") == AMOUNT


def test_a_transfer_that_fails_waits_or_comes_back(house: House) -> None:
    house.fault("transfer", "decline")
    failed = house.transfer()
    assert house.channel.transfer(failed).code == "PAYEE_ACCOUNT_STATUS_ERROR"
    assert house.channel.transfer_query(failed).outcome is NO
    house.fault("transfer", "never_final")
    waiting = house.transfer()
    assert house.channel.transfer(waiting).code == "DEALING"
    assert house.book("open") == AMOUNT
    pid = house.account.merchant_no
    house.sandbox.act("alipay", "finish_transfer", waiting.number, pid=pid, status="SUCCESS")
    assert house.channel.transfer_query(waiting).outcome is YES
    house.sandbox.act("alipay", "finish_transfer", waiting.number, pid=pid, status="REFUND")
    asked = house.channel.transfer_query(waiting)
    assert (asked.outcome, asked.code) == (NO, "RETURNED")
    assert (house.book("transferred"), house.book("returned")) == (AMOUNT, AMOUNT)


def test_no_money_for_payouts_is_queued_not_lost(house: House) -> None:
    pid = house.account.merchant_no
    house.sandbox.act("alipay", "set_rules", pid, payout_fen=0)
    found = house.channel.transfer(house.transfer())
    house.sandbox.act("alipay", "set_rules", pid, payout_fen=10**12)
    assert (found.outcome, found.code) == (LOST, "PAYER_BALANCE_NOT_ENOUGH")
    assert found.retry_at == clock.now() + timedelta(seconds=1800)
