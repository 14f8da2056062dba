"""The Alipay adapter against the sandbox over real sockets: two readings of the same references."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from billing.channels.base import Mode, NoticeKind
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


def test_a_code_is_shown_scanned_paid_notified_and_returned(house: House) -> None:
    order = house.order(Mode.NATIVE)
    created = house.channel.capture(order)
    assert (created.outcome, created.action.type) == (OPEN, "qr")
    # before anybody scans it the channel knows no such trade, and that is no end
    asked = house.channel.query(house.reference(order, offered=True))
    assert (asked.outcome, asked.code, asked.executed) == (OPEN, "ACQ.TRADE_NOT_EXIST", None)
    house.act("open_pay_link", link=created.action.value)
    assert house.channel.query(house.reference(order)).code == "WAIT_BUYER_PAY"

    house.act("confirm", link=created.action.value)

    notice = house.told(NoticeKind.CAPTURE, 1)
    asked = house.channel.query(house.reference(order))
    assert (notice.number, notice.answer.outcome) == (order.number, YES)
    assert (notice.answer.amount_fen, asked.amount_fen) == (AMOUNT, AMOUNT)
    assert (asked.outcome, asked.payer_id) == (YES, house.user_id)
    assert asked.channel_no == notice.answer.channel_no
    assert asked.occurred_at == notice.answer.occurred_at
    refund = house.refund(order, 1250)
    assert house.channel.refund_query(refund).executed is False
    given = house.channel.refund(refund)
    assert (given.outcome, given.channel_no) == (YES, asked.channel_no)
    returned = house.told(NoticeKind.CAPTURE, 2, NoticeKind.REFUND)
    assert (returned.number, returned.original_number) == (refund.number, order.number)
    assert (returned.answer.outcome, returned.answer.code) == (OPEN, "CONFIRM_BY_QUERY")
    found = house.channel.refund_query(refund)
    assert (found.outcome, found.amount_fen) == (YES, 1250)
    assert (house.book("captured"), house.book("refunded")) == (AMOUNT, 1250)


def test_a_link_is_opened_in_the_browser_and_leads_back(house: House) -> None:
    order = replace(house.order(Mode.H5), return_url="https://pay.hospital.example/p/x/result")
    created = house.channel.capture(order)
    assert (created.outcome, created.executed, created.action.type) == (OPEN, None, "url")
    page = httpx.get(created.action.value, follow_redirects=True)
    assert "86.40" in page.text and "／账单 {000123}＝急诊＆" in page.text
    done = httpx.post(page.url, data={"answer": "yes", "user_id": house.user_id})
    assert order.return_url in done.text
    assert house.told(NoticeKind.CAPTURE, 1).answer.outcome is YES
    assert house.channel.query(house.reference(order)).outcome is YES


@pytest.mark.parametrize("mode", [Mode.NATIVE, Mode.H5])
def test_an_offer_nobody_opened_ends_with_its_time_and_cannot_be_paid_later(
    house: House, mode: Mode
) -> None:
    order = house.order(mode)
    link = house.channel.capture(order).action.value
    if mode is Mode.H5:
        httpx.get(link, follow_redirects=True)
    mine = house.reference(order, offered=True)
    assert house.channel.close(mine).executed is False
    house.advance(15 * 60 + 61)
    for asked in (house.channel.query(mine), house.channel.close(mine)):
        assert (asked.outcome, asked.closed, asked.executed) == (NO, True, False)
    answer = house.sandbox.call(
        "POST",
        "/_control/act",
        {"actor": "alipay_payer", "action": "confirm", "subject": house.user_id,
         "args": {"link": link}},
    )  # fmt: skip
    assert answer.status_code == 400
    assert (house.book("captured"), house.book("open")) == (0, 0)


def test_an_opened_trade_is_closed_and_a_paid_one_is_not(house: House) -> None:
    order = house.order(Mode.NATIVE)
    link = house.channel.capture(order).action.value
    house.act("open_pay_link", link=link)
    assert house.channel.close(house.reference(order, offered=True)).closed
    assert house.channel.close(house.reference(order, offered=True)).closed
    assert house.channel.query(house.reference(order)).closed
    again = house.order(Mode.NATIVE)
    house.act("confirm", link=house.channel.capture(again).action.value)
    assert house.channel.close(house.reference(again, offered=True)).outcome is YES


def test_scan_is_paid_at_once_and_only_believed_by_the_query(house: House) -> None:
    order = house.scan()
    found = house.channel.capture(order)
    assert (found.outcome, found.amount_fen, found.payer_id) == (YES, AMOUNT, house.user_id)
    assert house.channel.capture(order).code == "ACQ.TRADE_HAS_SUCCESS"
    assert house.book("captured") == AMOUNT


def test_scan_waits_for_the_password_then_succeeds(house: House) -> None:
    order = house.scan(200_000)
    found = house.channel.capture(order)
    assert (found.outcome, found.code, found.executed) == (OPEN, "10003", True)
    assert house.channel.query(house.reference(order)).code == "WAIT_BUYER_PAY"
    house.act("confirm")
    assert house.channel.query(house.reference(order)).outcome is YES


def test_scan_that_nobody_confirms_is_cancelled(house: House) -> None:
    order = house.scan(200_000)
    assert house.channel.capture(order).outcome is OPEN
    for _again in range(2):
        ended = house.channel.reverse(house.reference(order))
        assert (ended.outcome, ended.closed) == (NO, True)
    assert house.channel.query(house.reference(order)).closed
    assert (house.book("captured"), house.book("open")) == (0, 0)


def test_a_cancel_after_the_payment_gives_the_money_back(house: House) -> None:
    order = house.paid_scan()
    ended = house.channel.reverse(house.reference(order))
    assert (ended.outcome, ended.code, ended.closed) == (NO, "CANCELLED", True)
    assert (house.book("captured"), house.book("reversed")) == (AMOUNT, AMOUNT)
    assert house.act("show_wallet")["balance_fen"] == 10_000_000
    told = [house.told(NoticeKind.CAPTURE, nth).answer for nth in (1, 2)]
    # Two notices leave side by side: nobody promises which is heard first.
    assert sorted(one.closed for one in told) == [False, True]


def test_a_cancel_of_nothing_says_so(house: House) -> None:
    asked = house.channel.reverse(house.reference(house.scan()))
    assert (asked.outcome, asked.executed, asked.closed) == (LOST, False, False)


def test_a_used_or_old_code_and_a_refused_password_decline(house: House) -> None:
    order = house.paid_scan()
    again = house.order(Mode.SCAN, auth_code=order.auth_code)
    assert house.channel.capture(again).code == "ACQ.PAYMENT_AUTH_CODE_INVALID"
    late = house.scan()
    house.advance(61)
    assert house.channel.capture(late).outcome is NO
    refused = house.scan(200_000)
    house.channel.capture(refused)
    house.act("refuse")
    assert house.channel.query(house.reference(refused)).closed


def test_an_empty_wallet_declines_and_a_repeated_number_of_other_terms_does_not(
    house: House,
) -> None:
    order = house.paid_scan()
    other = replace(house.scan(), number=order.number, amount_fen=1)
    assert house.channel.capture(other).outcome is LOST
    house.act("set_balance", balance_fen=1)
    poor = house.channel.capture(house.scan())
    assert (poor.outcome, poor.code) == (NO, "ACQ.BUYER_BALANCE_NOT_ENOUGH")


@pytest.mark.parametrize("mode", [Mode.SCAN, Mode.AGREEMENT])
@pytest.mark.parametrize(
    "fault, taken",
    [
        ("drop_before", False),
        ("http_500_before", False),
        ("drop_after", True),
        ("http_500_after", True),
        ("bad_signature", True),
    ],
)
def test_a_lost_answer_is_settled_by_the_query(
    house: House, mode: Mode, fault: str, taken: bool
) -> None:
    if mode is Mode.SCAN:
        order = house.scan()
    else:
        order = house.order(mode, contract_id=house.agreement().contract_id)
    house.fault("capture", fault)
    sent = house.channel.capture(order)
    assert (sent.outcome, sent.executed) == (LOST, None)
    asked = house.channel.query(house.reference(order))
    assert (asked.outcome, asked.executed) == (YES if taken else LOST, taken)
    assert house.book("captured") == (AMOUNT if taken else 0)


def test_a_lost_query_after_an_accepted_payment_leaves_it_open(house: House) -> None:
    order = house.scan()
    house.fault("query", "http_500_before")
    sent = house.channel.capture(order)
    assert (sent.outcome, sent.code, sent.executed) == (OPEN, "TAKEN", True)
    assert house.channel.query(house.reference(order)).outcome is YES


def test_a_refused_connection_never_left(house: House) -> None:
    house.fault("capture", "refuse_connection")
    sent = house.channel.capture(house.scan())
    assert (sent.outcome, sent.code) == (LOST, "NO_ANSWER")


def test_never_final_ends_when_the_fault_does(house: House) -> None:
    fault = house.fault("capture", "never_final")
    order = house.scan()
    assert house.channel.capture(order).outcome is OPEN
    house.sandbox.control("DELETE", f"faults/{fault}")
    assert house.channel.query(house.reference(order)).outcome is YES


def test_success_after_close_is_told(house: House) -> None:
    order = house.order(Mode.NATIVE)
    house.act("open_pay_link", link=house.channel.capture(order).action.value)
    house.fault("close", "success_after_close")
    assert house.channel.close(house.reference(order, offered=True)).closed
    notice = house.told(NoticeKind.CAPTURE, 1)
    assert (notice.number, notice.answer.outcome) == (order.number, YES)
