"""A cashier goes on while a tender is unconfirmed; whatever it becomes, nobody pays twice."""

from __future__ import annotations

import pytest

from billing.channels.base import Operation
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance
from billing.models import Invoice, PaymentTransaction
from billing.services.invoice_drive import invoice_drive
from billing.services.pass_over import tender_pass_over
from billing.services.sweeps import transaction_resume
from core.actors import Actor
from core.errors import Conflict
from core.models import AuditEvent
from tests import scripted
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db

CASHIER = Actor("staff", "cashier", "张敏")
CLEARING = "clearing/wechat_pay/1900000001"


def unconfirmed_bill() -> Invoice:
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    tender_pass_over(invoice_id=bill.pk, by=CASHIER)
    bill.refresh_from_db()
    return bill


def pay_cash(bill: Invoice) -> None:
    payments.collect(bill, "cash")
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()


def first_capture(bill: Invoice) -> PaymentTransaction:
    return PaymentTransaction.objects.filter(payment__invoice=bill, kind="CAPTURE").order_by("pk")[
        0
    ]


def test_late_success_after_cash_goes_back_by_itself() -> None:
    # given an unconfirmed deduction, passed over, and the bill paid in cash
    bill = unconfirmed_bill()
    pay_cash(bill)
    assert bill.status == "PAID"
    # when the deduction turns out to have succeeded
    scripted.script(Operation.QUERY, scripted.PAID)
    transaction_resume(transaction_id=first_capture(bill).pk)
    refund = PaymentTransaction.objects.get(kind="REFUND")
    transaction_resume(transaction_id=refund.pk)
    # then exactly it went back, and the bill stays paid by the cash
    bill.refresh_from_db()
    assert bill.status == "PAID"
    assert refund.original_id == first_capture(bill).pk
    assert account_balance(CLEARING) == 0
    assert account_balance("unapplied") == 0
    assert account_balance("refund_payable") == 0
    assert ledger_check().unbalanced == 0


def test_late_success_while_nothing_else_has_paid_pays_the_bill() -> None:
    bill = unconfirmed_bill()
    assert bill.status == "ISSUED"
    scripted.script(Operation.QUERY, scripted.PAID)
    transaction_resume(transaction_id=first_capture(bill).pk)
    bill.refresh_from_db()
    assert bill.status == "PAID"
    assert account_balance(CLEARING) == 1_000
    assert not PaymentTransaction.objects.filter(kind="REFUND").exists()


def test_going_on_is_recorded_and_refused_where_nothing_is_in_flight() -> None:
    bill = unconfirmed_bill()
    assert AuditEvent.objects.get(action="tender_passed_over").actor == "staff:cashier"
    with pytest.raises(Conflict):
        tender_pass_over(invoice_id=bill.pk, by=CASHIER)
