"""What the HIS will be told is written with the fact, numbered per bill without a gap."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from billing.models import EventType, HisEvent, Invoice
from billing.services.events.outbox import event_add
from core import clock
from tests.factories.billing import invoice


def add(bill: Invoice, **data: Any) -> int:
    with transaction.atomic():
        return event_add(invoice=bill, type=EventType.REVIEW, data=data, occurred_at=clock.now())


@pytest.mark.django_db
def test_an_event_is_one_statement_and_counts_on(django_assert_num_queries: Any) -> None:
    bill = invoice(1_000)
    with transaction.atomic(), django_assert_num_queries(1):
        seq = event_add(
            invoice=bill,
            type=EventType.REVIEW,
            data={"reason": "x", "rate": Decimal("0.10")},
            occurred_at=clock.now(),
        )
    assert (seq, bill.event_seq) == (2, 2)
    row = HisEvent.objects.get(seq=2)
    assert (row.type, row.data) == ("review", {"reason": "x", "rate": "0.10"})
    assert (row.client_id, row.invoice_id) == (bill.client_id, bill.pk)
    assert (row.event_id, row.attempts, row.due_at, row.delivered_at) == (None, 0, None, None)


@pytest.mark.django_db
def test_every_bill_counts_for_itself() -> None:
    first, second = invoice(1_000), invoice(1_000)
    assert [add(first), add(second), add(first)] == [2, 2, 3]


@pytest.mark.django_db
def test_what_is_rolled_back_leaves_no_gap() -> None:
    bill = invoice(1_000)
    with pytest.raises(RuntimeError, match="broken"), transaction.atomic():
        event_add(invoice=bill, type=EventType.REVIEW, data={}, occurred_at=clock.now())
        raise RuntimeError("broken")
    assert add(bill) == 2


@pytest.mark.django_db
def test_a_kind_of_event_the_contract_does_not_know_is_refused() -> None:
    bill = invoice(1_000)
    with pytest.raises(ValueError), transaction.atomic():
        event_add(invoice=bill, type="gossip", data={}, occurred_at=clock.now())
    assert HisEvent.objects.count() == 1


@pytest.mark.django_db
def test_a_bill_that_is_none_tells_nothing() -> None:
    with pytest.raises(RuntimeError, match="no invoice"), transaction.atomic():
        event_add(invoice=Invoice(pk=404), type=EventType.REVIEW, data={}, occurred_at=clock.now())


@pytest.mark.django_db(transaction=True)
def test_outside_the_transaction_of_its_fact_it_is_refused() -> None:
    bill = invoice(1_000)
    with pytest.raises(RuntimeError, match="in the transaction"):
        event_add(invoice=bill, type=EventType.REVIEW, data={}, occurred_at=clock.now())


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_numbers_without_a_gap() -> None:
    bill = invoice(1_000)
    got: list[int] = []

    def tell() -> None:
        for _event in range(5):
            got.append(add(Invoice.objects.get(pk=bill.pk)))
        connection.close()

    writers = [threading.Thread(target=tell) for _writer in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(20)
    assert sorted(got) == list(range(2, 22))
