"""Building the town: models by the services, people by COPY, the rest copied by the server."""

from __future__ import annotations

import multiprocessing as mp
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from typing import Any

from django.db import connection, connections, transaction

from billing.ledger.chart import Event
from billing.ledger.models import JournalEntry
from billing.models import ChargeItem, Invoice, InvoiceLine, Merchant, PayLink, PaymentTransaction
from patients.models import Patient, UserPhone
from tests.bench.bills import FIRST
from tests.bench.pages import people
from tests.bench.pages.copies import MONEY, PEOPLE, TRAIL, Copies
from tests.bench.pages.indexes import indexes_drop, indexes_make
from tests.bench.pages.models import Models, models_make
from tests.bench.pages.town import Town

CHUNK = 50_000
LINK_VALID = timedelta(days=7)
BEFORE = {Event.INVOICE_ISSUED, Event.CAPTURED}
Values = dict[str, Any]


def patients_write(first: int, last: int, values: Values) -> None:
    people.patients_write(first, last, values["built_at"])


def phones_write(first: int, last: int, values: Values) -> None:
    people.phones_write(first, last, values["built_at"])


def links_write(first: int, last: int, values: Values) -> None:
    """A pay link for every bill that waits; those of old bills are over."""
    waiting = Invoice.objects.filter(pk__range=(first, last), status="ISSUED")
    valid_until = values["built_at"] + LINK_VALID
    rows = (
        PayLink(
            id=pk, token=link_token(pk), invoice_id=pk, created_at=at,
            expires_at=valid_until if pk >= values["recent"] else at + LINK_VALID,
        )
        for pk, at in waiting.values_list("pk", "created_at")
    )  # fmt: skip
    people.rows_copy(PayLink, rows)


def link_token(bill: int) -> str:
    return f"link{bill:028d}"


Writer = Callable[[int, int, Values], None]
STEPS: tuple[tuple[str, Copies | Writer], ...] = (
    ("patients", patients_write),
    ("accounts", phones_write),
    *((one.of, one) for one in PEOPLE + MONEY + TRAIL),
    ("bills", links_write),
)


def town_build(town: Town, *, processes: int) -> None:
    """Fill the empty database that Django is connected to. With no processes, in this one."""
    with transaction.atomic():
        values = town.values | _values(models_make())
    if not processes:
        for work in _chunks(town):
            _write(*work, values)
    else:
        _in_processes(town, values, processes)
    _sequences_follow()


def _in_processes(town: Town, values: Values, processes: int) -> None:
    indexes = indexes_drop(_tables())
    connections.close_all()  # a fork must not share one
    with ProcessPoolExecutor(processes, mp.get_context("fork")) as pool:
        for number in range(len(STEPS)):
            begun = time.perf_counter()
            chunks = [work for work in _chunks(town) if work[0] == number]
            for done in [pool.submit(_write, *work, values) for work in chunks]:
                done.result()
            _said(_name(number), begun)
        begun = time.perf_counter()
        list(pool.map(indexes_make, sorted(indexes.values(), key=len, reverse=True)))
        _said(f"the indexes of {len(indexes)} tables", begun)


def _said(what: str, begun: float) -> None:
    print(f"  {what}: {time.perf_counter() - begun:,.0f} s", file=sys.stderr, flush=True)


def _chunks(town: Town) -> Iterator[tuple[int, int, int]]:
    for number, (of, _step) in enumerate(STEPS):
        last = town.last(of)
        for first in range(FIRST, last + 1, CHUNK):
            yield number, first, min(first + CHUNK - 1, last)


def _tables() -> set[str]:
    copied = {step.table for _of, step in STEPS if isinstance(step, Copies)}
    return copied | {model._meta.db_table for model in (Patient, UserPhone, PayLink)}


def _name(number: int) -> str:
    step = STEPS[number][1]
    return step.table if isinstance(step, Copies) else step.__name__


def _write(number: int, first: int, last: int, values: Values) -> None:
    """One step over one stretch of numbers, in a transaction of its own."""
    step = STEPS[number][1]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL synchronous_commit = off")
        if isinstance(step, Copies):
            cursor.execute(step.statement(), {**values, "first": first, "last": last})
        else:
            step(first, last, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def _values(models: Models) -> Values:
    paid = Invoice.objects.get(pk=models.paid)
    taken = PaymentTransaction.objects.get(payment__invoice=paid)
    refund = PaymentTransaction.objects.get(payment__invoice=models.returned, kind="REFUND")
    entries = _entries_of(models.paid)
    returned = _entries_of(models.returned)
    return {
        "paid_entry": min(entries.values()),
        "returned_entry": min(returned.values()),
        "issued": [entries.pop(Event.INVOICE_ISSUED)],
        "captured": list(entries.values()),
        "given_back": [pk for event, pk in returned.items() if event not in BEFORE],
        "user": models.user,
        "patient": models.patient,
        "paid": paid.pk,
        "returned": models.returned,
        "paid_encounter": paid.encounter_id,
        "paid_tx": taken.pk,
        "paid_key": f"deducted/{taken.number}",
        "refund_tx": refund.pk,
        "first_charge": ChargeItem.objects.filter(encounter=paid.encounter_id).earliest("pk").pk,
        "first_line": InvoiceLine.objects.filter(invoice=paid).earliest("pk").pk,
        "alipay": Merchant.objects.get(channel="alipay").pk,
    }


def _entries_of(invoice: int) -> dict[str, int]:
    return dict(JournalEntry.objects.filter(invoice_id=invoice).values_list("event", "pk"))


def _sequences_follow() -> None:
    """The next row that a service writes must find its number free."""
    with connection.cursor() as cursor:
        for table in sorted(_tables() - {"ledger_posting"}):
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'),"
                f" (SELECT max(id) FROM {table}))"
            )
