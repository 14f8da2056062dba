"""T3: reply, notice and query of one payment, in every order and twice at once, are one payment."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from billing.channels.base import ChannelAnswer, Operation, Source
from billing.ledger.models import JournalEntry
from billing.models import Invoice, PaymentNotice, PaymentTransaction
from billing.services.apply import transaction_apply
from billing.services.invoice_drive import invoice_drive
from billing.services.notices.applying import notice_apply
from billing.services.sweeps import transaction_resume
from core.outcomes import Outcome
from patients.models import Notification
from tests import scripted
from tests.conftest import ProofReport
from tests.factories import payments
from tests.factories.billing import invoice
from tests.proof import noticed
from tests.proof.books import faults
from tests.proof.crowd import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.proof("T3"),
    pytest.mark.usefixtures("scripted_channel"),
]

AMOUNT_FEN = 8_640
DOORS = ("reply", "notice", "query")
ORDERS = list(itertools.permutations(DOORS))


def sent_bill() -> tuple[Invoice, PaymentTransaction]:
    """A deduction on its way: the number is committed, the channel has not answered."""
    bill = invoice(AMOUNT_FEN)
    payments.agreement(bill.patient, plan=payments.plan(noticed.merchant()))
    payments.collect(bill)
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    invoice_drive(invoice_id=bill.pk)
    return bill, PaymentTransaction.objects.get(payment__invoice=bill)


def paid_answer(row: PaymentTransaction) -> ChannelAnswer:
    channel_no = f"42{row.number[-28:]}"
    return ChannelAnswer(Outcome.SUCCEEDED, channel_no=channel_no, amount_fen=AMOUNT_FEN)


def door(name: str, row: PaymentTransaction) -> Callable[[], object]:
    """One way in which the success of this row arrives."""
    answer = paid_answer(row)
    if name == "reply":
        return lambda: transaction_apply(transaction_id=row.pk, answer=answer, source=Source.SEND)
    if name == "query":
        scripted.script(Operation.QUERY, answer, answer)
        return lambda: transaction_resume(transaction_id=row.pk)
    body = noticed.paid_notice(row.number, AMOUNT_FEN)

    def notice() -> None:
        received = noticed.deliver(body)
        assert received.reply.status == 200
        if received.notice_id is not None:
            notice_apply(notice_id=received.notice_id)

    return notice


def assert_paid_once(bill: Invoice, row: PaymentTransaction) -> None:
    bill.refresh_from_db()
    row.refresh_from_db()
    assert (bill.status, row.status) == ("PAID", "SUCCEEDED")
    assert JournalEntry.objects.filter(reference=f"captured:{row.number}").count() == 1
    assert JournalEntry.objects.filter(invoice_id=bill.pk).count() == 2
    assert bill.events.filter(type="paid").count() == 1
    assert Notification.objects.filter(kind="deducted", key__contains=row.number).count() == 1


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_three_doors_in_every_order_twice_at_once(order: tuple[str, ...]) -> None:
    bill, row = sent_bill()
    for name in order:
        call = door(name, row)
        assert not [a for a in at_once([call, call]) if isinstance(a, Exception)]
    assert_paid_once(bill, row)
    assert faults() == []


def test_all_doors_at_once(proof_report: ProofReport) -> None:
    found = []
    for order in ORDERS:
        bill, row = sent_bill()
        calls = [door(name, row) for name in order for _twice in range(2)]
        assert not [a for a in at_once(calls) if isinstance(a, Exception)]
        entries = JournalEntry.objects.filter(reference=f"captured:{row.number}").count()
        told = Notification.objects.filter(kind="deducted", key__contains=row.number).count()
        found.append((entries, told))
        assert_paid_once(bill, row)
        assert PaymentNotice.objects.get(number=row.number).applied_at is not None
    assert faults() == []
    once = found.count((1, 1))
    proof_report("T3.one_entry_one_message", once, len(ORDERS), once == len(ORDERS))


@pytest.mark.parametrize("order", list(itertools.permutations(("failed", "notice", "query"))))
def test_a_failure_told_beside_a_success_does_not_take_it_back(order: tuple[str, ...]) -> None:
    """Doors that contradict each other: the money that came is kept or given back, once."""
    bill, row = sent_bill()
    failed = ChannelAnswer(Outcome.DECLINED, code="NOTENOUGH")
    for name in order:
        if name == "failed":
            transaction_apply(transaction_id=row.pk, answer=failed, source=Source.SEND)
        else:
            door(name, row)()
        invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    row.refresh_from_db()
    assert (bill.status, row.status) == ("PAID", "SUCCEEDED")
    assert JournalEntry.objects.filter(reference__endswith=f":{row.number}").count() >= 1
    assert faults() == []
