"""What is owed on a bill is one figure, whichever way it is read."""

from __future__ import annotations

import pytest
from django.db import transaction

from billing.channels.base import ChannelAnswer, Source
from billing.ledger.bills import bill_books, bill_due, bill_receivable, bills_due
from billing.locks import transaction_lock
from billing.models import Invoice, InvoiceStatus, PaymentTransaction
from billing.selectors.invoices import invoice_body
from billing.selectors.pay_page import invoice_page
from billing.services.apply import transaction_apply
from billing.services.charging.invoices import invoice_cancel
from core import clock
from core.actors import SYSTEM
from core.outcomes import Outcome
from tests.billing.portal_house import bill, family, ordered, paid

pytestmark = pytest.mark.django_db


def read_in_every_way(invoice: Invoice) -> set[int]:
    """The bill's figure alone, in a list, with its books, for the HIS and on the patient's page."""
    return {
        bill_receivable(invoice.pk),
        bill_due(invoice.pk),
        bills_due([invoice.pk])[invoice.pk],
        bill_books(invoice.pk).due_fen,
        invoice_body(invoice)["due_fen"],
        invoice_page(invoice).due_fen,
    }


def test_a_bill_owes_the_same_in_every_reading() -> None:
    # Given an issued bill, one being paid, and one paid
    _user, own, _mother = family()
    issued, running, settled = bill(own, 8640), bill(own, 1250), bill(own, 990)
    row = ordered(running)
    paid(settled)
    settled.refresh_from_db(), running.refresh_from_db()

    # Then each is owed whole until it is taken, and nothing after
    assert read_in_every_way(issued) == {8640}
    assert read_in_every_way(running) == {1250}
    assert read_in_every_way(settled) == {0}
    with transaction.atomic():
        assert transaction_lock(row.pk)[0].owed_fen == 1250


def test_of_a_bill_partly_taken_every_reading_says_the_rest() -> None:
    # Given a bill of 12.50 of which 4.50 came late, while nothing else was under way
    _user, own, _mother = family()
    invoice = bill(own, 1250)
    row = ordered(invoice)
    PaymentTransaction.objects.filter(pk=row.pk).update(amount_fen=450)
    answer = ChannelAnswer(Outcome.SUCCEEDED, channel_no="42", occurred_at=clock.now())
    transaction_apply(transaction_id=row.pk, answer=answer, source=Source.QUERY, by=SYSTEM)
    invoice.refresh_from_db()

    # Then the window, the HIS and the patient's page ask for 8.00, and the page shows 4.50 as paid
    assert invoice.status in (InvoiceStatus.ISSUED, InvoiceStatus.COLLECTING)
    assert read_in_every_way(invoice) == {800}
    assert invoice_page(invoice).paid_fen == 450


def test_a_cancelled_bill_owes_nothing() -> None:
    _user, own, _mother = family()
    invoice = bill(own, 1250)
    invoice_cancel(client=invoice.client, invoice_no=invoice.invoice_no, operator=SYSTEM)
    invoice.refresh_from_db()

    assert (bill_due(invoice.pk), invoice_body(invoice)["due_fen"]) == (0, 0)
    assert invoice_page(invoice).paid_fen == 0
