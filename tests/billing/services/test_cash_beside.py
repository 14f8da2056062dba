"""Cash beside other money of the same bill: only notes that were booked are answered `paid`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.channels.base import Mode, Source
from billing.ledger.chart import cash_drawer
from billing.ledger.selectors import account_balance
from billing.models import CollectRequest, Payment, Shift
from billing.selectors.collects import collect_answer
from billing.services import invoice_drive as drive
from billing.services.apply import transaction_apply
from billing.services.collecting.pass_over import tender_pass_over
from billing.services.invoice_drive import invoice_drive
from billing.services.sweeps import transaction_resume
from core import clock
from core.actors import Actor
from core.errors import Conflict
from tests import scripted
from tests.billing.services import offer_house
from tests.billing.services.bills import capture_of, driven
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db
CASHIER = Actor("staff", "cashier", "张敏")


def told_to_give_back(cash: CollectRequest) -> None:
    """Declined, also when it is asked again, and no note was booked for it."""
    again = CollectRequest.objects.select_related("invoice").get(pk=cash.pk)
    assert (again.status, again.decline_code) == ("DECLINED", "paid_otherwise")
    assert collect_answer(again) == {"result": "declined", "reason": "paid_otherwise"}
    assert not Payment.objects.filter(channel="cash").exists()
    assert not Shift.objects.exists()


def test_cash_is_not_answered_paid_by_a_late_deduction() -> None:
    # given a deduction without an answer, passed over for cash in the hand
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    scripted.script("capture", scripted.SILENT)
    payments.collect(bill)
    driven(bill)
    tender_pass_over(invoice_id=bill.pk, by=CASHIER)
    cash = payments.collect(bill, "cash", "R-cash")
    assert cash.status == "RUNNING"
    # when the deduction turns out to have succeeded before the cash was booked
    row = capture_of(bill)
    late = scripted.PAID
    transaction_apply(transaction_id=row.pk, answer=late, source=Source.QUERY, asked_of=row)
    invoice_drive(invoice_id=bill.pk)
    # then the bill is paid by it, and the notes go back
    bill.refresh_from_db()
    assert (bill.status, [one.channel for one in bill.payments.all()]) == ("PAID", ["wechat_pay"])
    told_to_give_back(cash)
    told_to_give_back(payments.collect(bill, "cash", "R-cash"))


def test_cash_is_not_answered_paid_by_the_order_on_the_patients_phone(settings: Any) -> None:
    # given an order the patient has opened, and cash asked for beside it
    settings.PAYMENT_CHANNELS = offer_house.TABLE
    offer_house.reset()
    payments.merchant()
    bill = invoice(1_000)
    offer_house.choose(bill, "wechat_pay", Mode.NATIVE)
    cash = payments.collect(bill, "cash", "R-cash")
    assert cash.status == "RUNNING"
    # when the patient pays in the seconds before it is closed
    row = capture_of(bill)
    offer_house.ORDERS[row.number] = "paid"
    transaction_resume(transaction_id=row.pk)
    # then
    bill.refresh_from_db()
    assert bill.status == "PAID"
    told_to_give_back(cash)


def test_cash_that_was_booked_is_answered_paid() -> None:
    bill = invoice(1_000)
    cash = payments.collect(bill, "cash", "R-cash")
    assert driven(bill).status == "PAID"
    again = CollectRequest.objects.select_related("invoice").get(pk=cash.pk)
    assert collect_answer(again) == {"result": "paid"}


def test_cash_whose_number_is_written_cannot_be_passed_over(
    still_clock: clock.FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given notes in the hand, and a process that died between their number and the booking
    bill = invoice(1_000)
    cash = payments.collect(bill, "cash", "R-cash")
    monkeypatch.setattr(drive, "_sent", lambda _step: False)
    driven(bill)
    monkeypatch.undo()
    row = capture_of(bill)
    assert row.status == "CREATED"
    # when another cashier wants to go on without it
    with pytest.raises(Conflict) as refused:
        tender_pass_over(invoice_id=bill.pk, by=CASHIER)
    # then it is refused: the next look books the notes, and the collect says so
    assert refused.value.code == "cash_is_booked"
    still_clock.advance(timedelta(seconds=16))
    transaction_resume(transaction_id=row.pk)
    bill.refresh_from_db()
    again = CollectRequest.objects.select_related("invoice").get(pk=cash.pk)
    assert (bill.status, again.status) == ("PAID", "PAID")
    assert collect_answer(again) == {"result": "paid"}
    assert account_balance(cash_drawer(Shift.objects.get().shift_no)) == 1_000
