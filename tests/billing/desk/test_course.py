"""The course of a bill shows what belongs to this bill."""

from __future__ import annotations

import pytest

from billing.desk.course import course_of
from billing.models import Invoice, PaymentTransaction
from tests.billing.services.bills import driven
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import encounter

pytestmark = pytest.mark.django_db


def messages_of(bill: Invoice) -> int:
    rows = list(PaymentTransaction.objects.filter(payment__invoice=bill))
    return sum(step.kind == "message" for step in course_of(bill, rows, [], []))


def test_two_bills_of_one_person_whose_numbers_end_alike_keep_their_own_messages() -> None:
    visit = encounter()
    payments.agreement(visit.patient)
    first = invoice(1_000, of=visit, invoice_no="A000034I")
    second = invoice(2_000, of=visit, invoice_no="B000034I")
    for bill in (first, second):
        payments.collect(bill)
        driven(bill)
    assert (messages_of(first), messages_of(second)) == (1, 1)
