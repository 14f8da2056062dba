"""A cashier goes on while a tender is unconfirmed; whatever it becomes, nobody pays twice."""

from __future__ import annotations

import pytest

from billing.channels.base import Operation, Source
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance
from billing.models import CollectRequest, HisEvent, Invoice, PaymentTransaction
from billing.selectors.payments import receivable_fen
from billing.services.apply import transaction_apply
from billing.services.charging.invoices import invoice_cancel
from billing.services.collecting.pass_over import tender_pass_over
from billing.services.invoice_drive import invoice_drive
from billing.services.sweeps import transaction_resume
from core import clock
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


def captures_of(bill: Invoice) -> list[PaymentTransaction]:
    rows = PaymentTransaction.objects.filter(payment__invoice=bill, kind="CAPTURE")
    return list(rows.order_by("pk"))


def first_capture(bill: Invoice) -> PaymentTransaction:
    return captures_of(bill)[0]


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


def test_the_bill_is_free_and_the_his_told_while_the_tender_stays_in_flight() -> None:
    bill = unconfirmed_bill()
    row = first_capture(bill)
    assert (bill.status, bill.decline_code, bill.due_at) == ("ISSUED", "passed_over", None)
    assert (row.status, row.passed_over_at) == ("UNKNOWN", clock.now())
    assert row.due_at is not None  # it is looked at until it ends
    collect = CollectRequest.objects.get()
    assert (collect.status, collect.decline_code) == ("DECLINED", "passed_over")
    last = HisEvent.objects.filter(invoice=bill).latest("seq")
    assert (last.type, last.data) == ("declined", {"reason": "passed_over"})
    audit = AuditEvent.objects.get(action="tender_passed_over")
    assert audit.detail == {"numbers": [row.number]}
    assert receivable_fen(bill) == 1_000


@pytest.mark.parametrize("state", ["issued", "paid", "cancelled"])
def test_nothing_is_passed_over_where_nobody_waits(state: str) -> None:
    bill = invoice(1_000)
    if state == "paid":
        pay_cash(bill)
    if state == "cancelled":
        invoice_cancel(client=bill.client, invoice_no=bill.invoice_no, operator=CASHIER)
    with pytest.raises(Conflict) as refused:
        tender_pass_over(invoice_id=bill.pk, by=CASHIER)
    assert refused.value.code == "nothing_in_flight"
    assert not AuditEvent.objects.filter(action="tender_passed_over").exists()


def test_a_cancelled_bill_sends_the_late_money_back() -> None:
    # given a tender passed over, and the bill cancelled afterwards
    bill = unconfirmed_bill()
    invoice_cancel(client=bill.client, invoice_no=bill.invoice_no, operator=CASHIER)
    # when it succeeds after all
    scripted.script(Operation.QUERY, scripted.PAID)
    transaction_resume(transaction_id=first_capture(bill).pk)
    transaction_resume(transaction_id=PaymentTransaction.objects.get(kind="REFUND").pk)
    # then nothing is kept and the bill stays cancelled
    bill.refresh_from_db()
    assert bill.status == "CANCELLED"
    assert (account_balance(CLEARING), account_balance("unapplied")) == (0, 0)
    assert ledger_check().sound


def test_the_next_tender_in_flight_stops_the_chain_and_of_two_successes_one_goes_back() -> None:
    # given a tender passed over, and a scan in flight after it
    bill = unconfirmed_bill()
    payments.merchant()
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    payments.collect(bill, "scan", auth_code="130000000000000001")
    for _drive in range(2):
        invoice_drive(invoice_id=bill.pk)
    assert len(scripted.calls(Operation.CAPTURE)) == 2
    # when both turn out to have succeeded
    for row in PaymentTransaction.objects.order_by("pk"):
        scripted.script(Operation.QUERY, scripted.PAID)
        transaction_resume(transaction_id=row.pk)
    assert account_balance(CLEARING) == 2_000
    transaction_resume(transaction_id=PaymentTransaction.objects.get(kind="REFUND").pk)
    # then the bill is paid once
    bill.refresh_from_db()
    assert bill.status == "PAID"
    assert (account_balance(CLEARING), account_balance("unapplied")) == (1_000, 0)
    assert receivable_fen(bill) == 0
    assert ledger_check().sound


def test_late_success_while_another_tender_is_under_way_goes_back() -> None:
    """The second tender may take the money at any moment: the first one's must not count too."""
    # given an unconfirmed deduction, passed over, and a scanned code the payer must confirm
    bill = unconfirmed_bill()
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    payments.collect(bill, "scan", auth_code="130000000000000001")
    invoice_drive(invoice_id=bill.pk)
    # when the deduction turns out to have succeeded, and then the code is confirmed
    first, second = captures_of(bill)
    transaction_apply(transaction_id=first.pk, answer=scripted.PAID, source=Source.QUERY)
    assert receivable_fen(bill) == 1_000
    refund = PaymentTransaction.objects.get(kind="REFUND")
    assert (refund.original_id, refund.amount_fen) == (first.pk, 1_000)
    transaction_apply(transaction_id=second.pk, answer=scripted.PAID, source=Source.QUERY)
    transaction_resume(transaction_id=refund.pk)
    # then the bill is paid once, by the code
    bill.refresh_from_db()
    assert (bill.status, receivable_fen(bill)) == ("PAID", 0)
    assert account_balance(CLEARING) == 1_000
    assert account_balance("unapplied") == account_balance("refund_payable") == 0
