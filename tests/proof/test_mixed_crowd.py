"""Everybody who may touch a bill does so at once: nobody is locked out, every promise holds."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from billing.channels.base import Mode
from billing.models import BillingReview, Invoice, PaymentTransaction
from billing.offers import Offer
from billing.services.charging.invoices import invoice_cancel
from billing.services.collecting.pass_over import tender_pass_over
from billing.services.collecting.pay_links import pay_link_choose, pay_link_offer, pay_link_open
from billing.services.invoice_drive import invoice_drive, invoices_drive_due
from billing.services.notices.applying import notice_apply, notices_due
from billing.services.refunding.return_reviews import return_review_approve, return_review_reject
from billing.services.refunding.returns import ReturnInput, return_request
from billing.services.review_decisions import refund_review_reissue
from billing.services.sweeps import transaction_resume, transactions_due
from core import clock
from core.actors import Actor
from core.errors import Refusal
from tests.conftest import ProofReport, ProofScale
from tests.factories import payments
from tests.factories.billing import invoice
from tests.proof import liar, noticed
from tests.proof.books import faults
from tests.proof.crowd import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.proof("MIX")]

PIECES, PIECE_FEN = 10, 700
CASHIER, APPROVER = Actor("his", "C1", "收费员"), Actor("his", "C2", "组长")
REVIEWER = Actor("staff", "reviewer", "李志强")
_numbers = itertools.count(1)


class MixedChannel(noticed.NoticedChannel, liar.LiarChannel):
    """A truth of its own, told by real notices."""


class Crowd:
    """Eight people and machines at one bill; each does its part a few times."""

    def __init__(self, bill: Invoice, seed: int, still: clock.FrozenClock) -> None:
        self.bill, self.seed, self.still = bill, seed, still
        self.token = pay_link_offer(invoice=bill).token

    def calls(self, passes: int) -> list[Callable[[], None]]:
        parts = (
            *(self.collect, self.cancel, self.page, self.pass_over),
            *(self.tell, self.give_back, self.decide, self.sweep),
        )
        return [lambda part=part: self.repeat(part, passes) for part in parts]

    def repeat(self, part: Callable[[Random], object], passes: int) -> None:
        chance = Random(f"{part.__name__}{self.seed}")
        for _pass in range(passes):
            with suppress(Refusal):
                part(chance)

    def collect(self, chance: Random) -> None:
        payments.collect(self.bill, chance.choice(("auto", "auto", "pay_link")))
        invoice_drive(invoice_id=self.bill.pk)

    def cancel(self, chance: Random) -> None:
        if chance.random() < 0.06:
            bill = self.bill
            invoice_cancel(client=bill.client, invoice_no=bill.invoice_no, operator=CASHIER)

    def page(self, chance: Random) -> None:
        pay_link_open(token=self.token)
        pay_link_choose(
            token=self.token,
            offer=Offer("wechat_pay", chance.choice((Mode.NATIVE, Mode.H5))),
            payer_address="",
            form_key=f"K{next(_numbers)}",
        )

    def pass_over(self, _chance: Random) -> None:
        tender_pass_over(invoice_id=self.bill.pk, by=CASHIER)

    def tell(self, chance: Random) -> None:
        """An open order of the bill is paid, and the channel says so."""
        rows = PaymentTransaction.objects.filter(payment__invoice=self.bill, kind="CAPTURE")
        numbers = [row.number for row in rows if row.number in liar.WORLD.orders]
        if not numbers:
            return
        number = chance.choice(numbers)
        if liar.WORLD.orders[number] == "open":
            liar.WORLD.orders[number] = "paid"
        if liar.WORLD.orders[number] == "paid":
            body = noticed.paid_notice(number, liar.WORLD.amounts[number])
            received = noticed.deliver(body)
            if received.notice_id is not None:
                notice_apply(notice_id=received.notice_id)

    def give_back(self, chance: Random) -> None:
        charge_no = self.bill.lines.get().charge.charge_no
        number = f"MF{next(_numbers)}"
        return_request(
            client=self.bill.client,
            invoice_no=self.bill.invoice_no,
            refund_no=number,
            lines=[ReturnInput(charge_no, Decimal(2), 2 * PIECE_FEN)],
            reason="退药",
            operator=CASHIER,
            approver=chance.choice((APPROVER, None)),
            input_hash=number,
        )

    def decide(self, chance: Random) -> None:
        cases = BillingReview.objects.filter(invoice=self.bill, status="OPEN")
        cases = cases.exclude(reason_code="not_ended")
        if not cases:
            time.sleep(0.02)  # nothing to decide yet; the others go on
            return
        case = chance.choice(cases)
        if case.reason_code == "refund_declined":
            refund_review_reissue(review_id=case.pk, by=REVIEWER, comment="looked at")
        elif case.invoice_return_id is not None:
            way = chance.choice((return_review_approve, return_review_reject))
            way(review_id=case.pk, by=REVIEWER, comment="looked at")

    def sweep(self, chance: Random) -> None:
        sweep_after(self.still, chance.choice((2, 16, 61)))


def sweep_after(still: clock.FrozenClock, seconds: int) -> None:
    still.advance(timedelta(seconds=seconds))
    for pk in transactions_due(limit=50):
        transaction_resume(transaction_id=pk)
    for pk in invoices_drive_due(limit=50):
        invoice_drive(invoice_id=pk)
    for pk in notices_due(limit=50):
        notice_apply(notice_id=pk)


def settle(still: clock.FrozenClock) -> None:
    """Every order that is open is closed by its own time, every refund of the channel ends."""
    liar.WORLD.captures_next.clear()
    liar.WORLD.refunds_next.clear()
    for _round in range(8):
        for number, state in liar.WORLD.refunds.items():
            liar.WORLD.refunds[number] = "done" if state == "pending" else state
        sweep_after(still, 1_000)


def crowded(seed: int, passes: int, still: clock.FrozenClock) -> list[Any]:
    """One bill and its crowd; every answer that is no refusal in words, such as a deadlock."""
    chance = Random(seed)
    bill = invoice(PIECES * PIECE_FEN, quantity=Decimal(PIECES))
    payments.agreement(bill.patient, plan=payments.plan(noticed.merchant()))
    if seed % 2:
        liar.WORLD.captures_next.clear()
        payments.collect(bill)
        invoice_drive(invoice_id=bill.pk)
    liar.WORLD.captures_next.extend(chance.choice(liar.CAPTURES) for _ in range(3))
    liar.WORLD.refunds_next.extend(chance.choice(liar.REFUNDS) for _ in range(2))
    crowd = Crowd(bill, seed, still)
    answers = at_once(crowd.calls(passes))
    return [answer for answer in answers if answer is not None]


def test_a_crowd_at_one_bill_never_locks_itself_out(
    settings: Any,
    still_clock: clock.FrozenClock,
    proof_scale: ProofScale,
    proof_report: ProofReport,
) -> None:
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.proof.test_mixed_crowd.MixedChannel",
        "cash": "billing.channels.cash.Cash",
    }
    liar.reset()
    rounds = proof_scale(40, least=6)
    failed: list[Any] = []
    for seed in range(rounds):
        failed += crowded(seed, 6, still_clock)
    settle(still_clock)
    assert failed == []
    assert faults() == []
    assert Invoice.objects.filter(status__in=Invoice.PAID_ONCE).exists()
    proof_report("MIX.rounds_without_deadlock", f"{rounds}", f"{rounds}", not failed)
