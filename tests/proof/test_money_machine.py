"""Any order of bills, collects, pages, answers, notices, returns and cancels keeps every promise.

The channel has its own truth (`liar.World`) and tells it as it likes. After every step the books
must be right; in the end, when everything was asked about, they must equal the channel's truth.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing.channels.base import CAME_BACK, ChannelAnswer, Mode, Source
from billing.ledger.accounts import accounts_forget
from billing.ledger.models import Posting
from billing.models import BillingReview, Invoice, InvoiceReturn, PaymentTransaction
from billing.offers import Offer
from billing.services.apply import transaction_apply
from billing.services.charging.invoices import invoice_cancel
from billing.services.collecting.collects import collect_start
from billing.services.collecting.pay_links import pay_link_choose
from billing.services.invoice_drive import invoice_drive, invoices_drive_due
from billing.services.refunding.refunds import refund_look, refund_subject
from billing.services.refunding.returns import ReturnInput, return_request
from billing.services.review_decisions import refund_review_hand_out, refund_review_reissue
from billing.services.sweeps import transaction_resume, transactions_due
from core import clock
from core.actors import Actor
from core.errors import Refusal
from core.outcomes import Outcome
from tests.conftest import PINNED_NOW, ProofReport, ProofScale
from tests.factories import payments
from tests.factories.billing import invoice
from tests.proof import liar
from tests.proof.books import faults

pytestmark = [pytest.mark.django_db, pytest.mark.proof("T10", "MACHINE")]

BILLS_MAX, PIECES, PIECE_FEN = 3, 10, 700
ASKER, APPROVER = Actor("his", "C1", "收费员"), Actor("his", "C2", "组长")
REVIEWER = Actor("staff", "reviewer", "李志强")
CODE = "130000000000000001"
PLACES = st.integers(0, BILLS_MAX - 1)
METHODS = st.sampled_from(["auto", "auto", "scan", "pay_link", "cash"])
PAUSES = st.sampled_from([2, 4, 16, 61, 1_000])


class Money(RuleBasedStateMachine):
    """A hospital with a few bills and a liar for a channel."""

    ended = 0  # runs whose end was judged

    def __init__(self) -> None:
        super().__init__()
        self.frozen = clock.freeze(PINNED_NOW)
        self.still = self.frozen.__enter__()
        self.atom = transaction.atomic()
        self.atom.__enter__()
        accounts_forget()
        self.world = liar.reset()
        self.numbers = 0
        self.bills: list[Invoice] = []
        self.untold: list[str] = []

    def teardown(self) -> None:
        try:
            self.settle()
            Money.ended += 1
        finally:
            transaction.set_rollback(True)
            self.atom.__exit__(None, None, None)
            self.frozen.__exit__(None, None, None)
            accounts_forget()

    def refusing(self, call: Callable[[], Any]) -> None:
        """A refusal in words is always a right answer."""
        with suppress(Refusal):
            call()

    def bill(self, place: int) -> Invoice | None:
        if place >= len(self.bills):
            return None
        self.bills[place].refresh_from_db()
        return self.bills[place]

    def number(self, prefix: str) -> str:
        self.numbers += 1
        return f"{prefix}{self.numbers}"

    @precondition(lambda self: len(self.bills) < BILLS_MAX)
    @rule(payers=st.integers(0, 2))
    def issue(self, payers: int) -> None:
        payments.merchant()
        bill = invoice(PIECES * PIECE_FEN, quantity=Decimal(PIECES))
        for place in range(payers):
            relation = "self" if place == 0 else "child"
            payments.agreement(bill.patient, relation=relation, preference=place)
        self.bills.append(bill)

    @rule(answers=st.lists(st.sampled_from(liar.CAPTURES), max_size=3))
    def plan_captures(self, answers: list[str]) -> None:
        self.world.captures_next.clear()
        self.world.captures_next.extend(answers)

    @rule(answers=st.lists(st.sampled_from(liar.REFUNDS), max_size=3))
    def plan_refunds(self, answers: list[str]) -> None:
        self.world.refunds_next.clear()
        self.world.refunds_next.extend(answers)

    @rule(deaf=st.booleans())
    def stop_answering(self, deaf: bool) -> None:
        self.world.deaf = deaf

    @rule(place=PLACES, method=METHODS, driven=st.booleans())
    def collect(self, place: int, method: str, driven: bool) -> None:
        bill = self.bill(place)
        if bill is None:
            return
        self.collected(bill, method)
        if driven:
            invoice_drive(invoice_id=bill.pk)

    def collected(self, bill: Invoice, method: str) -> None:
        number = self.number("R")
        self.refusing(
            lambda: collect_start(
                client=bill.client,
                invoice_no=bill.invoice_no,
                request_no=number,
                method=method,
                auth_code=CODE if method == "scan" else "",
                operator=ASKER,
                input_hash=number,
            )
        )

    @rule(place=PLACES, mode=st.sampled_from([Mode.NATIVE, Mode.H5]))
    def open_page(self, place: int, mode: Mode) -> None:
        bill = self.bill(place)
        if bill is None or not hasattr(bill, "pay_link"):
            return
        self.refusing(
            lambda: pay_link_choose(
                token=bill.pay_link.token,
                offer=Offer("wechat_pay", mode),
                payer_address="",
                form_key=self.number("K"),
            )
        )

    @rule(pick=st.integers(0, 9), late=st.booleans(), told=st.booleans())
    def payer_pays(self, pick: int, late: bool, told: bool) -> None:
        """An open order is paid; `late`, one that was closed, as only a channel's fault can."""
        wanted = "closed" if late else "open"
        numbers = [n for n, state in self.world.orders.items() if state == wanted]
        if not numbers:
            return
        number = numbers[pick % len(numbers)]
        self.world.orders[number] = "paid"
        self.untold.append(number)
        if told:
            self.tell(number)

    @rule(pick=st.integers(0, 9))
    def told_again(self, pick: int) -> None:
        """A notice of any order that was paid, however often."""
        numbers = [n for n, state in self.world.orders.items() if state == "paid"]
        if numbers:
            self.tell(numbers[pick % len(numbers)])

    def tell(self, number: str) -> None:
        row = PaymentTransaction.objects.get(number=number)
        answer = self.world.order_answer(number)
        transaction_apply(transaction_id=row.pk, answer=answer, source=Source.NOTICE)

    @rule(seconds=PAUSES)
    def sweep(self, seconds: int) -> None:
        self.time_passes(seconds)

    def time_passes(self, seconds: int) -> None:
        self.still.advance(timedelta(seconds=seconds))
        for pk in transactions_due(limit=100):
            transaction_resume(transaction_id=pk)
        for pk in invoices_drive_due(limit=100):
            invoice_drive(invoice_id=pk)

    @rule(place=PLACES, pieces=st.one_of(st.none(), st.integers(1, PIECES)))
    def give_back(self, place: int, pieces: int | None) -> None:
        bill = self.bill(place)
        if bill is not None:
            self.ask_back(bill, pieces)

    @precondition(lambda self: len(self.bills) < BILLS_MAX)
    @rule(pieces=st.integers(1, 3), in_cash=st.booleans(), turns=st.booleans())
    def give_back_in_vain(self, pieces: int, in_cash: bool, turns: bool) -> None:
        """A paid bill whose return the channel refuses, a decision about it, and sometimes the
        refused number done after all before the next one leaves: too rare to be met by chance."""
        payments.merchant()
        bill = invoice(PIECES * PIECE_FEN, quantity=Decimal(PIECES))
        payments.agreement(bill.patient)
        self.bills.append(bill)
        self.world.deaf = False
        self.world.captures_next.clear()
        self.world.refunds_next.clear()
        self.collected(bill, "auto")
        invoice_drive(invoice_id=bill.pk)
        self.world.refunds_next.append("declined")
        self.ask_back(bill, pieces)
        refused = PaymentTransaction.objects.get(kind="REFUND", payment__invoice=bill)
        transaction_resume(transaction_id=refused.pk)
        case = BillingReview.objects.get(transaction=refused, status="OPEN")
        decide = refund_review_hand_out if in_cash else refund_review_reissue
        decide(review_id=case.pk, by=REVIEWER, comment="looked at")
        if turns and not self.went_out_again(refused.number):
            self.world.refunds[refused.number] = "done"
            self.tell_refund(refused.number, self.world.refund_answer(refused.number))

    def ask_back(self, bill: Invoice, pieces: int | None) -> None:
        part = None
        if pieces is not None:
            charge_no = bill.lines.get().charge.charge_no
            part = [ReturnInput(charge_no, Decimal(pieces), pieces * PIECE_FEN)]
        number = self.number("F")
        self.refusing(
            lambda: return_request(
                client=bill.client,
                invoice_no=bill.invoice_no,
                refund_no=number,
                lines=part,
                reason="退药",
                operator=ASKER,
                approver=APPROVER,
                input_hash=number,
            )
        )

    @rule(pick=st.integers(0, 9), told=st.booleans())
    def refund_turns(self, pick: int, told: bool) -> None:
        """A refused refund is done after all, unless its debt has gone out under another number;
        one that was done comes back; one that came back finds its account."""
        numbers = [n for n, state in self.world.refunds.items() if state != "pending"]
        if not numbers:
            return
        number = numbers[pick % len(numbers)]
        turns = {"declined": "done", "done": "returned", "returned": "done"}
        if self.world.refunds[number] == "declined" and self.went_out_again(number):
            return
        self.world.refunds[number] = turns[self.world.refunds[number]]
        if told:
            self.tell_refund(number, self.world.refund_answer(number))

    def went_out_again(self, number: str) -> bool:
        row = PaymentTransaction.objects.get(number=number)
        others = PaymentTransaction.objects.filter(reissue_of=refund_subject(row)) | (
            PaymentTransaction.objects.filter(pk=refund_subject(row))
        )
        return any(
            self.world.refunds.get(other.number, "declined") != "declined"
            or other.payment.channel == "cash"
            for other in others.exclude(pk=row.pk)
        )

    @rule(pick=st.integers(0, 9))
    def refund_told_late(self, pick: int) -> None:
        """The success of any refund that ever had one, also after it came back."""
        had = [n for n, state in self.world.refunds.items() if state in ("done", "returned")]
        if had:
            number = had[pick % len(had)]
            amount_fen = self.world.amounts[number]
            self.tell_refund(number, ChannelAnswer(Outcome.SUCCEEDED, amount_fen=amount_fen))

    def tell_refund(self, number: str, answer: ChannelAnswer) -> None:
        """As a notice does: what takes a success back is asked for (`notice_applying`)."""
        row = PaymentTransaction.objects.get(number=number)
        source = Source.NOTICE
        if answer.code == CAME_BACK and row.status == "SUCCEEDED":
            answer, source = refund_look(row=row), Source.QUERY
        transaction_apply(transaction_id=row.pk, answer=answer, source=source)

    @rule(in_cash=st.booleans())
    def decide_a_declined_refund(self, in_cash: bool) -> None:
        case = BillingReview.objects.filter(reason_code="refund_declined", status="OPEN").first()
        if case is not None:
            decide = refund_review_hand_out if in_cash else refund_review_reissue
            self.refusing(lambda: decide(review_id=case.pk, by=REVIEWER, comment="looked at"))

    @rule(place=PLACES)
    def cancel(self, place: int) -> None:
        bill = self.bill(place)
        if bill is not None:
            self.refusing(
                lambda: invoice_cancel(
                    client=bill.client, invoice_no=bill.invoice_no, operator=ASKER
                )
            )

    @invariant()
    def books_are_right(self) -> None:
        assert faults() == []

    def settle(self) -> None:
        """The channel answers again, every payment is told, and time passes."""
        self.world.deaf = False
        self.world.refunds_next.clear()
        for number in self.untold:
            self.tell(number)
        for _round in range(8):
            for number, state in self.world.refunds.items():
                over = state in ("pending", "returned")
                self.world.refunds[number] = "done" if over else state
            self.time_passes(1_000)
        assert faults() == []
        flying = PaymentTransaction.objects.filter(status__in=PaymentTransaction.IN_FLIGHT)
        assert [str(row) for row in flying] == []
        assert not InvoiceReturn.objects.filter(status="ACCEPTED").exists()
        # Nothing left twice that we could have known of.
        assert not BillingReview.objects.filter(reason_code="refunded_twice").exists()
        clearing = Posting.objects.filter(account__family="clearing")
        assert sum(clearing.values_list("amount_fen", flat=True)) == self.world.kept_fen()
        ends = {"PAID", "ISSUED", "CANCELLED", "PARTLY_REFUNDED", "REFUNDED"}
        assert {bill.status for bill in Invoice.objects.all()} <= ends


def test_any_order_of_steps_keeps_the_books_right(
    settings: Any, proof_scale: ProofScale, proof_report: ProofReport
) -> None:
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.proof.liar.LiarChannel",
        "cash": "billing.channels.cash.Cash",
    }
    runs = proof_scale(300, least=10)
    before = Money.ended
    run_state_machine_as_test(Money, settings=machine_settings(runs))
    ended = Money.ended - before
    proof_report("MACHINE.runs", ended, f">= {runs}", ended >= runs)


def machine_settings(runs: int) -> settings:
    return settings(
        max_examples=runs,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
