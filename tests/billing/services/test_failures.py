"""One row that cannot be worked on: logged, counted, tried again more rarely, shown to a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from billing import tasks
from billing.channels.base import Operation
from billing.models import BillingReview, HisEvent, Invoice, PaymentTransaction
from billing.services import failures
from billing.services.failures import due_after
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
    for times in range(1, 6):
        assert transactions_due(limit=10) == [row.pk]
        tasks.transaction_leased_task(row.pk)
        row.refresh_from_db()
        assert row.failures == times and row.due_at is not None
        assert transactions_due(limit=10) == []
        still_clock.advance(row.due_at - clock.now())
    assert f"transaction {row.pk} could not be resumed" in caplog.text
    review = BillingReview.objects.get(transaction=row)
    assert (review.reason_code, review.figures["attempts"]) == ("not_ended", 5)
    # and the HIS does not wait for an answer that time alone will not bring
    told = HisEvent.objects.get(invoice=bill, type="review")
    assert (told.data, review.invoice) == ({"reason": "not_ended"}, bill)


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


@pytest.mark.parametrize(
    ("times", "wait_s"),
    [(0, 15), (1, 15), (2, 30), (3, 60), (4, 300), (5, 900), (6, 3600), (7, 3600), (99, 3600)],
)
def test_the_wait_grows_to_an_hour_and_no_further(times: int, wait_s: int) -> None:
    assert due_after(times) == clock.now() + timedelta(seconds=wait_s)


def test_no_word_of_an_error_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    bill = invoice(1_000)
    payments.collect(bill)
    monkeypatch.setattr(tasks, "invoice_drive", broken)
    for _try in range(5):
        tasks.invoice_drive_task(bill.pk)
    kept = str(BillingReview.objects.values_list("figures", "summary"))
    assert "RuntimeError" in kept
    assert "王小明" not in kept


def test_a_person_is_told_once_and_it_is_still_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    bill = invoice(1_000)
    payments.collect(bill)
    monkeypatch.setattr(tasks, "invoice_drive", broken)
    for _try in range(4):
        tasks.invoice_drive_task(bill.pk)
    assert not BillingReview.objects.exists()
    for _try in range(3):
        tasks.invoice_drive_task(bill.pk)
    assert BillingReview.objects.count() == 1
    bill.refresh_from_db()
    assert (bill.failures, bill.due_at) == (7, clock.now() + timedelta(hours=1))


def test_a_failure_that_cannot_be_written_down_stops_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bill = invoice(1_000)
    payments.collect(bill)

    def unwritable(*_given: Any, **_more: Any) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(failures, "invoice_lock", unwritable)
    with failures.invoice_kept(invoice_id=bill.pk):
        broken()
    assert f"bill {bill.pk}: its failure could not be kept" in caplog.text
    bill.refresh_from_db()
    assert bill.failures == 0


def test_a_worker_that_is_stopped_is_no_failure() -> None:
    bill = invoice(1_000)
    with pytest.raises(SystemExit), failures.invoice_kept(invoice_id=bill.pk):
        raise SystemExit(0)
    bill.refresh_from_db()
    assert bill.failures == 0
