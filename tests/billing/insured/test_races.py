"""Two workers at one insured bill: the insurer is asked once, the money moves once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from billing.models import InsuredCourse, Invoice
from billing.services.insuring import pricing
from billing.services.invoice_drive import invoice_drive
from billing.tasks import sweep_claims, sweep_invoices
from insurance.services.claims.values import Priced, PricedState
from tests.billing.insured.ward import Ward, even, movements, told
from tests.factories import payments

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 4


def together(work: Callable[[], object]) -> None:
    """The same work by several workers in one moment, each with a connection of its own."""
    start = threading.Barrier(WORKERS)

    def run() -> None:
        start.wait()
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def drive_together(bill: Invoice) -> None:
    together(lambda: invoice_drive(invoice_id=bill.pk))
    bill.refresh_from_db()


def test_many_workers_price_and_settle_a_bill_once(ward: Ward) -> None:
    bill = ward.bill()
    drive_together(bill)
    assert (bill.status, told(bill)) == ("ISSUED", ["priced"])
    payments.collect(bill, "one_code", auth_code=ward.code())
    drive_together(bill)
    assert (bill.status, movements(bill)) == ("PAID", [("CAPTURE", "SUCCEEDED", 1_398)])
    calls = ward.insurer.calls()
    assert (calls.count("2206"), calls.count("2207")) == (1, 1)
    assert told(bill) == ["priced", "paid"]
    even(ward, bill)


def test_a_worker_that_died_while_asking_is_followed_by_another(ward: Ward) -> None:
    ward.agreement()
    bill = ward.priced()
    payments.collect(bill, "cash")
    # given a worker that said it asks, and never came back
    InsuredCourse.objects.filter(invoice=bill).update(step="SETTLE")
    ward.driven(bill)
    assert bill.status == "PAID"
    even(ward, bill)


def test_while_one_asks_the_others_wait(ward: Ward) -> None:
    bill = ward.bill()
    course = InsuredCourse.objects.filter(invoice=bill)
    course.update(busy_until=bill.created_at.replace(year=2027))
    ward.driven(bill)
    assert (bill.status, ward.insurer.calls().count("2206")) == ("PRICING", 0)
    course.update(busy_until=bill.created_at.replace(year=2025))
    ward.driven(bill)
    assert bill.status == "ISSUED"


def test_a_code_that_comes_while_the_insurer_is_asked_without_it_is_read(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a bill whose pricing finds no code, and a doctor who scans one in that moment
    bill, ask = ward.bill(), pricing.claim_price
    ward.visit.insurance_credential.delete()

    def asked(**named: int) -> Priced:
        priced = ask(**named)
        if priced.state is PricedState.NO_CREDENTIAL:
            payments.collect(bill, "one_code", auth_code=ward.code())
        return priced

    monkeypatch.setattr(pricing, "claim_price", asked)
    ward.driven(bill)
    # then nobody is told to show what was shown
    assert (bill.status, movements(bill)) == ("PAID", [("CAPTURE", "SUCCEEDED", 1_398)])
    assert told(bill) == ["priced", "paid"]
    even(ward, bill)


def test_a_lost_settlement_is_ended_by_the_sweepers_alone(ward: Ward) -> None:
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "drop_after")
    ward.collect(bill)
    if bill.status != "PAID":
        ward.later(31)
        sweep_claims()
        sweep_invoices()
        ward.driven(bill)
    assert bill.status == "PAID"
    even(ward, bill)
