"""A reverse gives back what was paid, also a moment ago: no success beside it is believed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.channels.base import ChannelAnswer, Operation, Source
from billing.models import BillingReview, Invoice, PaymentTransaction
from billing.selectors.payments import receivable_fen
from billing.services.apply import transaction_apply
from billing.services.invoice_drive import invoice_drive
from billing.services.sweeps import transaction_resume
from core import clock
from tests import scripted
from tests.billing.services.bills import capture_of
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db


def scanned(still: clock.FrozenClock) -> tuple[Invoice, PaymentTransaction]:
    """A code scanned, a payer who does not type the password, and the deadline just over."""
    bill = invoice(1_000)
    payments.merchant()
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    payments.collect(bill, "scan", auth_code="130000000000000001")
    invoice_drive(invoice_id=bill.pk)
    row = capture_of(bill)
    still.advance(row.expires_at - clock.now() + timedelta(seconds=1))
    return bill, row


def ended(bill: Invoice, row: PaymentTransaction) -> tuple[str, str, int]:
    bill.refresh_from_db()
    row.refresh_from_db()
    return row.status, bill.status, receivable_fen(bill)


def test_nothing_is_reversed_once_another_process_has_booked_the_success(
    still_clock: clock.FrozenClock,
) -> None:
    # given a process that asked before the payer paid, and stalls with that answer
    bill, row = scanned(still_clock)

    def stalled(_order: object) -> ChannelAnswer:
        asked_of = PaymentTransaction.objects.get(pk=row.pk)
        transaction_apply(
            transaction_id=row.pk, answer=scripted.PAID, source=Source.QUERY, asked_of=asked_of
        )
        return scripted.PENDING

    scripted.script(Operation.QUERY, stalled)
    # when it goes on
    transaction_resume(transaction_id=row.pk)
    # then it gives nothing back
    assert ended(bill, row) == ("SUCCEEDED", "PAID", 0)
    assert scripted.calls(Operation.REVERSE) == []
    assert not BillingReview.objects.exists()


@pytest.mark.parametrize("source", [Source.NOTICE, Source.QUERY, Source.SEND])
def test_a_success_told_while_a_reverse_is_out_is_not_booked(
    still_clock: clock.FrozenClock, source: Source
) -> None:
    # given a process that was told of a success before the reverse began
    bill, row = scanned(still_clock)
    before = PaymentTransaction.objects.get(pk=row.pk)

    def told_meanwhile(_order: object) -> ChannelAnswer:
        asked_of = before if source is Source.QUERY else None
        transaction_apply(
            transaction_id=row.pk, answer=scripted.PAID, source=source, asked_of=asked_of
        )
        return scripted.CLOSED

    # when it tells while the reverse is on its way
    scripted.script(Operation.QUERY, scripted.PENDING)
    scripted.script(Operation.REVERSE, told_meanwhile)
    transaction_resume(transaction_id=row.pk)
    # then what was paid has gone back, and the bill is to pay
    assert ended(bill, row) == ("CLOSED", "ISSUED", 1_000)
    assert not BillingReview.objects.exists()


def test_a_reverse_without_an_answer_is_repeated_and_nothing_else_is_asked(
    still_clock: clock.FrozenClock,
) -> None:
    # given a reverse that nobody answered; it may still be carried out
    bill, row = scanned(still_clock)
    scripted.script(Operation.QUERY, scripted.PENDING)
    scripted.script(Operation.REVERSE, scripted.SILENT)
    transaction_resume(transaction_id=row.pk)
    assert ended(bill, row) == ("PENDING", "COLLECTING", 1_000)
    # when it is looked at again, and the channel would still tell a success
    scripted.script(Operation.QUERY, scripted.PAID)
    transaction_resume(transaction_id=row.pk)
    # then it is the reverse that says how it ended
    assert ended(bill, row) == ("CLOSED", "ISSUED", 1_000)
    assert scripted.calls(Operation.REVERSE) == [row.number, row.number]
    assert len(scripted.calls(Operation.QUERY)) == 1


def test_a_success_is_booked_where_it_is_too_late_to_reverse(
    still_clock: clock.FrozenClock,
) -> None:
    # given a channel that reverses no more, and says how the order stands
    bill, row = scanned(still_clock)
    scripted.script(Operation.QUERY, scripted.PENDING)
    scripted.script(Operation.REVERSE, scripted.PAID)
    # when
    transaction_resume(transaction_id=row.pk)
    # then
    assert ended(bill, row) == ("SUCCEEDED", "PAID", 0)
