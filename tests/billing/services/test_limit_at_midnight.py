"""A daily limit is of the day on which the agreement is held, not of the day one queued for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from django.db import connection, transaction

from billing.ledger.accounts import accounts_forget
from billing.locks import agreement_lock
from billing.models import Invoice, PaymentTransaction
from billing.services.invoice_drive import invoice_drive
from core import clock
from tests.factories import payments
from tests.factories.billing import invoice
from tests.fixtures.waiting import wait_for_lock

pytestmark = pytest.mark.django_db(transaction=True)
EVE = datetime(2026, 11, 20, 23, 59, 59, 900_000, tzinfo=clock.ZONE)


@pytest.fixture(autouse=True)
def no_accounts_kept() -> Iterator[None]:
    accounts_forget()
    yield
    accounts_forget()


def drive(bill: Invoice) -> None:
    try:
        invoice_drive(invoice_id=bill.pk)
    finally:
        connection.close()


def test_who_queued_until_midnight_counts_against_the_new_day(
    still_clock: clock.FrozenClock,
) -> None:
    # given two bills of one payer whose agreement allows one of them a day
    still_clock.at = EVE
    first = invoice(1_000)
    payments.plan(single_fen=1_000, daily_fen=1_000)
    agreement = payments.agreement(first.patient)
    bills = [first, invoice(1_000, of=first.encounter)]
    for bill in bills:
        payments.collect(bill)
    threads = [threading.Thread(target=drive, args=(bill,)) for bill in bills]
    # when both wait for it on the eve, and it is free after midnight
    with transaction.atomic():
        agreement_lock(agreement.pk)
        for thread in threads:
            thread.start()
        wait_for_lock(connections=2)
        still_clock.advance(timedelta(milliseconds=200))
    for thread in threads:
        thread.join()
    # then one was taken, of the new day
    taken = PaymentTransaction.objects.filter(agreement=agreement, status="SUCCEEDED")
    assert [(row.business_day, row.amount_fen) for row in taken] == [(date(2026, 11, 21), 1_000)]
