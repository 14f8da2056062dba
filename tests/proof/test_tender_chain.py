"""The tender chain from the bill to the sandbox and back: who pays when the first way fails."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from billing.channels.base import Mode, Source
from billing.channels.registry import channel_get
from billing.ledger.selectors import account_balance
from billing.models import CollectRequest, Invoice, PaymentTransaction
from billing.offers import Offer
from billing.selectors.collects import collect_answer
from billing.services.apply import transaction_apply
from billing.services.collecting.captures import order_reference
from billing.services.collecting.pay_links import pay_link_choose
from billing.services.invoice_drive import invoice_drive, invoices_drive_due
from billing.services.refunding.returns import return_request
from billing.services.sweeps import transaction_resume, transactions_due
from config.books import books_compare
from core import clock, outbound_clients
from core.actors import Actor
from tests.factories import payments
from tests.factories.billing import invoice
from tests.fixtures.sandbox_process import Sandbox
from tests.proof.books import faults, invoice_kept_fen
from tests.proof.house import House, house_open

pytestmark = pytest.mark.django_db

AMOUNT_FEN = 8_640
POOR_FEN = 100


@pytest.fixture
def house(sandbox: Sandbox, settings: Any, still_clock: clock.FrozenClock) -> Iterator[House]:
    """Notices find nobody here: the chain must reach its end by asking alone."""
    settings.SANDBOX_URL, settings.PORTAL_URL = sandbox.url, "http://127.0.0.1:9"
    yield house_open(sandbox, still_clock)
    outbound_clients.forget_clients()


def collect(bill: Invoice, method: str = "auto", auth_code: str = "") -> CollectRequest:
    request = payments.collect(bill, method, auth_code=auth_code)
    invoice_drive(invoice_id=bill.pk)
    return request


def go_on(house: House, bill: Invoice, *, seconds: float = 4, times: int = 1) -> Invoice:
    """Time passes and the sweepers do their work."""
    for _time in range(times):
        house.advance(seconds)
        for pk in transactions_due(limit=100):
            transaction_resume(transaction_id=pk)
        for pk in invoices_drive_due(limit=100):
            invoice_drive(invoice_id=pk)
    bill.refresh_from_db()
    return bill


def captures(bill: Invoice) -> list[PaymentTransaction]:
    rows = PaymentTransaction.objects.filter(payment__invoice=bill, kind="CAPTURE")
    return list(rows.select_related("payment").order_by("pk"))


def assert_books_agree(house: House) -> None:
    comparison = books_compare()
    assert (comparison.differences, comparison.open) == ([], [])
    assert faults() == []


def taken(house: House) -> int:
    book = house.sandbox.book()
    return int(book["captured"]["fen"] - book["refunded"]["fen"] - book["reversed"]["fen"])


@pytest.mark.parametrize("why", ["no_money", "limit", "unsigned"])
def test_a_declined_agreement_falls_to_the_pay_link(house: House, why: str) -> None:
    # given an agreement the channel will decline although our rows admit it
    amount_fen = 600_000 if why == "limit" else AMOUNT_FEN
    bill = invoice(amount_fen)
    openid = house.wallet(POOR_FEN if why == "no_money" else 10_000_000)
    agreement = house.agreement(bill.patient, openid)
    if why == "limit":
        type(agreement.plan).objects.update(single_fen=10**9, daily_fen=10**9)
    if why == "unsigned":
        house.sandbox.act("payer", "unsign", openid, contract_id=agreement.contract_id)
    # when
    request = collect(bill)
    go_on(house, bill)
    # then nothing was taken and the patient has a link
    request.refresh_from_db()
    assert [row.status for row in captures(bill)] in (["DECLINED"], ["CLOSED"])
    assert bill.status == "ISSUED"
    assert collect_answer(request)["result"] == "action_required"
    assert taken(house) == 0
    assert_books_agree(house)


def test_two_payers_the_second_pays_when_the_first_has_no_money(house: House) -> None:
    bill = invoice(AMOUNT_FEN)
    house.agreement(bill.patient, house.wallet(POOR_FEN), preference=1)
    second = house.agreement(bill.patient, relation="child", preference=2)
    collect(bill)
    go_on(house, bill, times=2)
    assert bill.status == "PAID"
    assert [row.status for row in captures(bill)] in (
        ["DECLINED", "SUCCEEDED"],
        ["CLOSED", "SUCCEEDED"],
    )
    assert captures(bill)[1].agreement_id == second.pk
    assert taken(house) == AMOUNT_FEN
    assert_books_agree(house)


@pytest.mark.parametrize(
    ("fault", "paid_numbers"),
    [("drop_after", 1), ("http_500_after", 1), ("drop_before", 2), ("http_500_before", 2)],
)
def test_an_unanswered_deduction_is_found_out_and_taken_once(
    house: House, fault: str, paid_numbers: int
) -> None:
    bill = invoice(AMOUNT_FEN)
    house.agreement(bill.patient)
    house.sandbox.fault("capture", fault, times=1)
    collect(bill)
    (row,) = captures(bill)
    assert row.status == "UNKNOWN"
    # while it is unknown nothing else is tried
    invoice_drive(invoice_id=bill.pk)
    assert len(captures(bill)) == 1
    go_on(house, bill, times=6)
    assert bill.status == "PAID"
    assert len(captures(bill)) == paid_numbers
    assert taken(house) == AMOUNT_FEN
    assert_books_agree(house)


def test_an_unanswered_deduction_that_failed_goes_on_to_the_link(house: House) -> None:
    bill = invoice(AMOUNT_FEN)
    house.agreement(bill.patient, house.wallet(POOR_FEN))
    house.sandbox.fault("capture", "drop_after", times=1)
    collect(bill)
    assert captures(bill)[0].status == "UNKNOWN"
    go_on(house, bill, times=2)
    assert bill.status == "ISSUED"
    assert taken(house) == 0
    assert_books_agree(house)


def test_a_scan_that_waits_for_a_password_is_reversed(house: House) -> None:
    bill = invoice(AMOUNT_FEN)
    openid = house.wallet(10_000_000, free_fen=0)
    code = house.sandbox.act("payer", "show_code", openid)["auth_code"]
    request = collect(bill, "scan", code)
    assert captures(bill)[0].status == "PENDING"
    go_on(house, bill, seconds=20, times=4)
    request.refresh_from_db()
    assert captures(bill)[0].status == "CLOSED"
    assert (bill.status, request.status, request.auth_code) == ("ISSUED", "DECLINED", "")
    assert taken(house) == 0
    assert_books_agree(house)


def test_a_scan_confirmed_in_the_last_moment_is_kept_once(house: House) -> None:
    bill = invoice(AMOUNT_FEN)
    openid = house.wallet(10_000_000, free_fen=0)
    code = house.sandbox.act("payer", "show_code", openid)["auth_code"]
    collect(bill, "scan", code)
    house.advance(44)
    house.sandbox.act("payer", "confirm", openid)
    go_on(house, bill, seconds=2)
    assert bill.status == "PAID"
    assert taken(house) == AMOUNT_FEN
    assert_books_agree(house)


@pytest.mark.parametrize("late", [False, True])
def test_the_window_takes_the_offer_back_that_a_page_left_open(house: House, late: bool) -> None:
    """A native order stands open; the cashier scans a code instead. With `late` the patient pays
    the withdrawn order all the same: one of the two goes back."""
    bill = invoice(AMOUNT_FEN)
    openid = house.wallet(10_000_000)
    collect(bill, "pay_link")
    bill.refresh_from_db()
    action = pay_link_choose(
        token=bill.pay_link.token,
        offer=Offer("wechat_pay", Mode.NATIVE),
        payer_address="",
        form_key="K1",
    )
    assert action is not None
    if late:
        house.sandbox.fault("close", "success_after_close", times=1)
    code = house.sandbox.act("payer", "show_code", openid)["auth_code"]
    collect(bill, "scan", code)
    go_on(house, bill, times=2)
    offered = captures(bill)[0]
    assert (bill.status, offered.status) == ("PAID", "CLOSED")
    if late:
        # its notice, which in this house finds nobody, brings the channel's word
        answer = told_paid(house, offered)
        transaction_apply(transaction_id=offered.pk, answer=answer, source=Source.NOTICE)
        go_on(house, bill, times=4)
    offered.refresh_from_db()
    assert offered.status == ("SUCCEEDED" if late else "CLOSED")
    assert bill.status == "PAID"
    assert taken(house) == AMOUNT_FEN == invoice_kept_fen(bill)
    assert_books_agree(house)


def told_paid(house: House, row: PaymentTransaction) -> Any:
    """What a query of the order says."""
    return channel_get("wechat_pay").query(order_reference(row))


@pytest.mark.proof("T13")
def test_money_after_the_close_pays_the_bill_that_is_still_open(house: House) -> None:
    bill = invoice(AMOUNT_FEN)
    house.wallet(10_000_000)
    collect(bill, "pay_link")
    pay_link_choose(
        token=bill.pay_link.token,
        offer=Offer("wechat_pay", Mode.NATIVE),
        payer_address="",
        form_key="K1",
    )
    house.sandbox.fault("close", "success_after_close", times=1)
    # the window asks again, which takes the open order back
    collect(bill, "pay_link")
    go_on(house, bill)
    assert (bill.status, captures(bill)[0].status) == ("ISSUED", "CLOSED")
    answer = told_paid(house, captures(bill)[0])
    transaction_apply(transaction_id=captures(bill)[0].pk, answer=answer, source=Source.NOTICE)
    bill.refresh_from_db()
    assert bill.status == "PAID"
    assert taken(house) == AMOUNT_FEN == account_balance(clearing(house))
    assert_books_agree(house)


def clearing(house: House) -> str:
    return f"clearing/wechat_pay/{house.merchant.merchant_no}"


@pytest.mark.proof("T14")
@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "http_500_before", "never_final"])
def test_a_refund_that_is_not_answered_leaves_once(house: House, fault: str) -> None:
    bill = invoice(AMOUNT_FEN)
    house.agreement(bill.patient)
    collect(bill)
    go_on(house, bill)
    assert bill.status == "PAID"
    house.sandbox.fault("refund", fault, times=1)
    return_request(
        client=bill.client,
        invoice_no=bill.invoice_no,
        refund_no="F1",
        lines=None,
        reason="退费",
        operator=Actor("his", "C1", "收费员"),
        approver=Actor("his", "C2", "组长"),
        input_hash="",
    )
    go_on(house, bill, seconds=1)
    assert bill.status == "PAID"
    go_on(house, bill, seconds=35, times=2)
    house.sandbox.control("DELETE", "faults")
    go_on(house, bill, seconds=61, times=3)
    refunds = PaymentTransaction.objects.filter(payment__invoice=bill, kind="REFUND")
    assert [row.status for row in refunds] == ["SUCCEEDED"]
    assert bill.status == "REFUNDED"
    assert taken(house) == 0
    assert_books_agree(house)
