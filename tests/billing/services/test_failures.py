"""One row that cannot be worked on: logged, counted, tried again more rarely, shown to a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing import tasks
from billing.channels.base import Operation
from billing.models import BillingReview, Invoice, PaymentTransaction
from billing.services.invoice_drive import invoice_drive, invoices_drive_due
from billing.services.sweeps import transactions_due
from core import clock
from tests import scripted
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "enqueue", lambda *_task: True)


def broken(*_given: Any, **_more: Any) -> None:
    raise RuntimeError("a name that must not be kept: 王小明")


def test_a_bill_that_cannot_be_driven(
    still_clock: clock.FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    payments.collect(bill)
    monkeypatch.setattr(tasks, "invoice_drive", broken)
    waited = []
    for _try in range(5):
        tasks.invoice_drive_task(bill.pk)
        bill.refresh_from_db()
        assert bill.due_at is not None
        waited.append((bill.due_at - clock.now()).total_seconds())
        assert invoices_drive_due(limit=10) == []
        still_clock.advance(bill.due_at - clock.now())
    assert waited == [15, 30, 60, 300, 900]
    assert f"bill {bill.pk} could not be driven" in caplog.text
    review = BillingReview.objects.get(invoice=bill)
    assert (review.reason_code, review.figures) == (
        "not_ended",
        {"attempts": 5, "code": "RuntimeError"},
    )
    # what stood in its way has gone: it goes on by itself
    monkeypatch.setattr(tasks, "invoice_drive", invoice_drive)
    assert invoices_drive_due(limit=10) == [bill.pk]
    tasks.invoice_drive_task(bill.pk)
    assert Invoice.objects.get(pk=bill.pk).status == "PAID"


def test_a_transaction_that_cannot_be_resumed(
    still_clock: clock.FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    row = PaymentTransaction.objects.get()
    monkeypatch.setattr(tasks, "transaction_resume", broken)
    still_clock.advance(timedelta(seconds=4))
    for failures in range(1, 6):
        assert transactions_due(limit=10) == [row.pk]
        tasks.transaction_leased_task(row.pk)
        row.refresh_from_db()
        assert row.failures == failures and row.due_at is not None
        assert transactions_due(limit=10) == []
        still_clock.advance(row.due_at - clock.now())
    assert f"transaction {row.pk} could not be resumed" in caplog.text
    review = BillingReview.objects.get(transaction=row)
    assert (review.reason_code, review.figures["attempts"]) == ("not_ended", 5)


def test_an_ended_transaction_is_not_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    row = PaymentTransaction.objects.get()
    monkeypatch.setattr(tasks, "transaction_resume", broken)
    tasks.transaction_leased_task(row.pk)
    row.refresh_from_db()
    assert (row.status, row.due_at, row.failures) == ("SUCCEEDED", None, 1)
    monkeypatch.setattr(tasks, "invoice_drive", broken)
    tasks.invoice_drive_task(bill.pk)
    bill.refresh_from_db()
    assert (bill.status, bill.due_at, bill.failures) == ("PAID", None, 1)
