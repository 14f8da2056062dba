"""T4: thousands of notices, doubled, late, early, stale and wrong, against a model of forty lines.

Every notice is signed by the vendor of the tests and read by the real adapter. One in five tasks is
lost, so that the sweeper has something to do.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.db import transaction

from billing.channels.base import ChannelAnswer, Mode, Source
from billing.ledger.models import JournalEntry
from billing.locks import invoice_lock
from billing.models import BillingReview, Invoice, Merchant, PaymentNotice, PaymentTransaction
from billing.services.apply import transaction_apply
from billing.services.collecting.captures import capture_begin
from billing.services.collecting.tenders import Tender
from billing.services.notices.applying import notice_apply, notices_due
from billing.services.sweeps import transaction_resume
from core import clock
from core.actors import SYSTEM
from core.outcomes import Outcome
from core.states import transition
from tests import scripted
from tests.conftest import ProofReport, ProofScale
from tests.factories.billing import invoice
from tests.factories.patients import encounter
from tests.proof import noticed
from tests.proof.books import faults
from tests.proof.flood import Order, Step, flood, model

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.proof("T4"),
    pytest.mark.usefixtures("scripted_channel"),
]

SWEEP_EVERY = 100
CLOSED = ChannelAnswer(Outcome.DECLINED, code="CLOSED", closed=True)


class Portal:
    """The same steps, done to the real services."""

    def __init__(self, still: clock.FrozenClock, random: Random, monkeypatch: pytest.MonkeyPatch):
        self.still, self.random, self.monkeypatch = still, random, monkeypatch
        self.start = still.at
        self.merchant: Merchant = noticed.merchant()
        self.visit = encounter()
        self.bodies: dict[str, bytes] = {}

    def number(self, order: int) -> str:
        return f"TX20261120{order:08d}"

    def amount(self, order: int) -> int:
        return 100 + order % 9_000

    def do(self, step: Step) -> None:
        self.still.at = self.start + timedelta(seconds=step.at)
        getattr(self, step.verb)(step)

    def make(self, step: Step) -> None:
        """An order of a patient's page, its number as the story wants it."""
        bill = invoice(self.amount(step.order), of=self.visit, invoice_no=f"I{step.order}")
        self.capture(bill, self.number(step.order))

    def capture(self, bill: Invoice, number: str) -> PaymentTransaction:
        self.monkeypatch.setattr(
            "billing.services.collecting.captures.business_number",
            lambda prefix: number if prefix == "TX" else f"PY{number}",
        )
        with transaction.atomic():
            locked = invoice_lock(bill.pk)
            tender = Tender("wechat_pay", Mode.NATIVE, bill.cash_fen, self.merchant)
            row = capture_begin(invoice=locked, tender=tender)
            transition(locked, "COLLECTING", by=SYSTEM)
        return transaction_apply(transaction_id=row.pk, answer=scripted.PENDING, source=Source.SEND)

    def row(self, order: int) -> PaymentTransaction:
        return PaymentTransaction.objects.get(number=self.number(order))

    def close(self, step: Step) -> None:
        row = self.row(step.order)
        transaction_apply(transaction_id=row.pk, answer=CLOSED, source=Source.QUERY)

    def pay_otherwise(self, step: Step) -> None:
        bill = Invoice.objects.get(invoice_no=f"I{step.order}")
        row = self.capture(bill, f"{self.number(step.order)}B")
        transaction_apply(transaction_id=row.pk, answer=scripted.PAID, source=Source.SEND)

    def tell(self, step: Step) -> None:
        """The same event has the same body; its task may be lost."""
        if step.event not in self.bodies:
            self.bodies[step.event] = noticed.paid_notice(
                self.number(step.order),
                self.amount(step.order) + step.extra_fen,
                event=step.event,
                trade_state=step.state,
            )
        received = noticed.deliver(self.bodies[step.event])
        if received.notice_id is not None and self.random.random() < 0.8:
            notice_apply(notice_id=received.notice_id)

    def sweep(self) -> None:
        for pk in notices_due(limit=1000):
            notice_apply(notice_id=pk)

    def finish(self) -> None:
        """Time passes; what is owed back leaves."""
        self.still.at += timedelta(seconds=3600)
        self.sweep()
        for row in PaymentTransaction.objects.filter(kind="REFUND", status="CREATED"):
            transaction_resume(transaction_id=row.pk)


def wrong_states(portal: Portal, orders: list[Order]) -> list[str]:
    """Orders that ended otherwise than in the model."""
    rows = {
        row.number: row for row in PaymentTransaction.objects.select_related("payment__invoice")
    }
    refunds = set(
        PaymentTransaction.objects.filter(kind="REFUND", status="SUCCEEDED").values_list(
            "original__number", flat=True
        )
    )
    found = []
    for place, order in enumerate(orders):
        number = portal.number(place)
        row = rows.get(number)
        if row is None:
            if order.exists:
                found.append(f"{number} is missing")
            continue
        assert row.payment.invoice is not None
        ours = (row.status, row.payment.invoice.status, number in refunds)
        theirs = (order.status, order.bill, order.refunded)
        if ours != theirs:
            found.append(f"{number} {order.kind}: {ours} instead of {theirs}")
    return found


def questions(portal: Portal, orders: list[Order]) -> tuple[Counter[str], Counter[str]]:
    """Open questions by order and reason: ours, and those of the model."""
    ours = Counter(
        f"{(case.transaction or case.notice).number} {case.reason_code}"  # type: ignore[union-attr]
        for case in BillingReview.objects.filter(status="OPEN").select_related(
            "transaction", "notice"
        )
    )
    theirs = Counter(
        f"{portal.number(place)} {reason}"
        for place, order in enumerate(orders)
        for reason in order.questions
    )
    return ours, theirs


def test_a_flood_of_notices_ends_as_the_model_says(
    still_clock: clock.FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    proof_scale: ProofScale,
    proof_report: ProofReport,
) -> None:
    wanted = proof_scale(10_000, least=150)
    kinds, steps = flood(wanted, Random(20261120))
    portal = Portal(still_clock, Random(7), monkeypatch)
    for place, step in enumerate(steps):
        portal.do(step)
        if place % SWEEP_EVERY == 0:
            portal.sweep()
    portal.finish()

    orders = model(kinds, steps)
    told = sum(step.verb == "tell" for step in steps)
    wrong = wrong_states(portal, orders)
    ours, theirs = questions(portal, orders)
    kept = set(PaymentNotice.objects.values_list("event_no", flat=True))
    lost = set().union(*(order.events for order in orders)) - kept
    unapplied = PaymentNotice.objects.filter(applied_at=None)
    doubles = JournalEntry.objects.count() - len(
        set(JournalEntry.objects.values_list("reference", flat=True))
    )
    proof_report("T4.notices", told, wanted, told >= wanted)
    proof_report("T4.wrong_states", len(wrong), 0, not wrong)
    proof_report("T4.double_entries", doubles, 0, doubles == 0)
    proof_report("T4.odd_in_queue", sum(ours.values()), sum(theirs.values()), ours == theirs)
    proof_report("T4.lost", len(lost), 0, not lost)
    assert wrong[:5] == []
    assert (lost, doubles) == (set(), 0)
    assert (ours - theirs, theirs - ours) == (Counter(), Counter())
    assert {one.number for one in unapplied} == {
        portal.number(place) for place, order in enumerate(orders) if not order.exists
    }
    assert sum(PaymentNotice.objects.values_list("deliveries", flat=True)) == told
    assert faults() == []
