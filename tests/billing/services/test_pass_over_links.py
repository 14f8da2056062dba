"""After a cashier went on the patient may pay: what was passed over is not in the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.channels.base import Action, ChannelAnswer, Mode, Operation, Source
from billing.ledger.selectors import account_balance
from billing.models import Agreement, Invoice, PayLink, PaymentTransaction
from billing.offers import Offer
from billing.page_values import PayState
from billing.selectors.pay_page import invoice_page
from billing.selectors.payments import receivable_fen
from billing.services.apply import transaction_apply
from billing.services.collecting.pass_over import tender_pass_over
from billing.services.collecting.pay_choices import agreement_choose
from billing.services.collecting.pay_links import offer_choose, pay_link_choose, pay_link_open
from billing.services.invoice_drive import invoice_drive
from billing.services.sweeps import transaction_resume
from core import clock
from core.actors import Actor
from core.outcomes import Outcome
from patients.actors import patient_actor
from patients.models import PatientAccess
from tests import scripted
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db

CASHIER = Actor("staff", "cashier", "张敏")
CLEARING = "clearing/wechat_pay/1900000001"
NATIVE = Offer("wechat_pay", Mode.NATIVE)


def shown() -> ChannelAnswer:
    """The channel made an order and says what to scan."""
    action = Action("qr", "weixin://wxpay/bizpayurl?pr=1", clock.now() + timedelta(minutes=5))
    return ChannelAnswer(Outcome.PENDING, code="NOTPAY", action=action)


def passed_over(fen: int = 1_000) -> tuple[Invoice, Agreement]:
    """A bill whose deduction nobody confirmed and a cashier did not wait for."""
    bill = invoice(fen)
    agreement = payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    tender_pass_over(invoice_id=bill.pk, by=CASHIER)
    return Invoice.objects.get(pk=bill.pk), agreement


def press(bill: Invoice, form_key: str = "form1") -> Action | None:
    scripted.script(Operation.CAPTURE, shown())
    return offer_choose(
        invoice=Invoice.objects.get(pk=bill.pk),
        offer=NATIVE,
        payer_address="203.0.113.9",
        form_key=form_key,
    )


def captures_of(bill: Invoice) -> list[PaymentTransaction]:
    rows = PaymentTransaction.objects.filter(payment__invoice=bill, kind="CAPTURE")
    return list(rows.order_by("pk"))


def test_a_link_opens_and_pays_and_the_late_success_goes_back() -> None:
    # given an unconfirmed deduction, passed over, and a link sent for the bill that is free again
    bill, _agreement = passed_over()
    payments.collect(bill, "pay_link")
    invoice_drive(invoice_id=bill.pk)
    token = PayLink.objects.get(invoice=bill).token
    before = invoice_page(pay_link_open(token=token))
    assert (before.state, before.started_at) == (PayState.TO_PAY, None)
    # when the patient opens it, presses and pays
    scripted.script(Operation.CAPTURE, shown())
    pressed = pay_link_choose(
        token=token, offer=NATIVE, payer_address="203.0.113.9", form_key="form1"
    )
    assert pressed is not None
    assert invoice_page(pay_link_open(token=token)).state is PayState.WAITING
    first, second = captures_of(bill)
    transaction_apply(transaction_id=second.pk, answer=scripted.PAID, source=Source.NOTICE)
    # then it is paid by the link, and what was passed over goes back when it arrives after all
    bill.refresh_from_db()
    assert (bill.status, receivable_fen(bill)) == ("PAID", 0)
    transaction_apply(transaction_id=first.pk, answer=scripted.PAID, source=Source.QUERY)
    transaction_resume(transaction_id=PaymentTransaction.objects.get(kind="REFUND").pk)
    assert account_balance(CLEARING) == 1_000
    assert account_balance("unapplied") == account_balance("refund_payable") == 0


def test_an_agreement_can_be_picked() -> None:
    bill, agreement = passed_over()
    agreement_choose(
        invoice=bill,
        access=PatientAccess.objects.get(user=agreement.holder_id),
        agreement_id=agreement.pk,
        payer_address="203.0.113.9",
        form_key="form1",
        by=patient_actor(agreement.holder),
    )
    bill.refresh_from_db()
    assert (bill.status, receivable_fen(bill)) == ("PAID", 0)


def test_the_end_of_what_was_passed_over_does_not_free_the_bill_from_under_an_order() -> None:
    # given a tender passed over, and an order the patient opened after it
    bill, _agreement = passed_over()
    press(bill)
    first, second = captures_of(bill)
    # when the first one ends declined
    transaction_apply(transaction_id=first.pk, answer=scripted.DECLINED, source=Source.QUERY)
    # then the order still holds the bill
    bill.refresh_from_db()
    assert (bill.status, second.is_waited_for) == ("COLLECTING", True)


def test_the_same_way_is_a_new_order_and_the_one_passed_over_is_withdrawn() -> None:
    # given an order the patient opened, passed over at the window
    bill = invoice(1_000)
    payments.merchant()
    press(bill)
    tender_pass_over(invoice_id=bill.pk, by=CASHIER)
    # when the patient opens the same way on a new page
    assert press(bill, "form2") is not None
    # then the first order is closed and the second open: never two codes to scan
    assert [row.status for row in captures_of(bill)] == ["CLOSED", "PENDING"]
