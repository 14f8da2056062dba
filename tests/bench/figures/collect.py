"""`collect`: from the HIS's `collect` to the final state, through the services.

`collect_start` and `invoice_drive` in one process, the channel replaced by one that succeeds at
once. Three transactions: the request, the number before the call, the answer. The floor writes the
same rows in one (`tests.bench.collect_floor`); that they are the same is checked row by row before
anything is measured.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import ExitStack
from statistics import median
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from billing.ledger.accounts import accounts_forget
from billing.ledger.checking import ledger_check
from billing.models import Invoice
from billing.services.collecting.collects import collect_start
from billing.services.invoice_drive import invoice_drive
from core import clock
from tests.bench import bills
from tests.bench.bills import Supply
from tests.bench.cluster import Cluster
from tests.bench.collect_floor import floor_collect
from tests.bench.crew import WARM_UP, Crew, Operation
from tests.bench.report import Case
from tests.bench.rounds import ROUNDS, SECONDS, ratio, rounds_run
from tests.bench.same_rows import Likeness, rows_compare
from tests.factories import billing as bill_factory
from tests.factories import patients as people
from tests.factories import payments
from tests.scripted import PAID, ScriptedChannel

HERE = "tests.bench.figures.collect"
DATABASE = "bench_collect"
CONNECTIONS = (1, 4, 16)
LINES = (1, 10, 100)
STATEMENTS_MAX = 25
WRITTEN = {
    *("billing_collectrequest", "billing_payment", "billing_paymenttransaction", "billing_invoice"),
    *("ledger_entry", "ledger_posting", "billing_hisevent", "core_statechange"),
    "patients_notification",
}
# Bills a second a contender may use up at most; several times what this class of machine does.
RATE_MAX = {"floor": {1: 2000, 4: 4000, 16: 5000}, "ours": {1: 600, 4: 1200, 16: 1500}}
# The services run as `docs/deployment.md` deploys them: a process per core and threads in it. Raw
# SQL is fastest with a process per connection.
PROCESSES = {"floor": 0, "ours": len(os.sched_getaffinity(0))}
LIKENESS = Likeness(
    numbers=r"\b(TX|PY)[0-9A-Z]{28}\b", ids="id|entry_id|collect_id|payment_id|entity_id"
)


class InstantChannel(ScriptedChannel):
    """Takes no time, remembers nothing, always succeeds."""

    def capture(self, order: object) -> Any:
        return PAID


def measure(cluster: Cluster) -> list[Case]:
    _check_floor(cluster)
    statements = _statements(cluster)
    cases = [_measure_at(cluster, number) for number in CONNECTIONS]
    cases[0].extra["statements"] = statements
    if len(set(statements.values())) != 1 or max(statements.values()) > STATEMENTS_MAX:
        cases.append(Case("collect.statements", max(statements.values()), "", ratio=0.0, target=1))
    return cases


def _measure_at(cluster: Cluster, connections_: int) -> Case:
    """Floor and ours take turns on one database, each with bills of its own."""
    share = {
        name: WARM_UP * connections_ + int(ROUNDS * SECONDS * most[connections_])
        for name, most in RATE_MAX.items()
    }
    first = {"floor": bills.FIRST, "ours": bills.FIRST + share["floor"]}
    cluster.portal_database(DATABASE)
    _database_use(DATABASE)
    bills.bills_prepare(sum(share.values()))
    connections.close_all()
    cluster.settle(DATABASE)
    crews = {
        name: Crew(
            f"{HERE}.{name}",
            connections_,
            {"first": first[name], "share": share[name], "step": connections_},
            processes=PROCESSES[name],
        )
        for name in RATE_MAX
    }
    with ExitStack() as stack:
        for crew in crews.values():
            stack.enter_context(crew)
        rates = rounds_run(crews)
    _check_books()
    connections.close_all()
    return Case(
        f"collect.c{connections_}",
        median(rates["ours"]),
        "bills/s",
        median(rates["floor"]),
        ratio(rates["ours"], rates["floor"]),
        0.2,
        {"rss_mb": round(crews["ours"].rss_mb)},
        "three durable steps beside the same rows in one statement",
    )


def ours(worker: int, *, first: int, share: int, step: int) -> Operation:
    """The services, as the HIS's door calls them."""
    _database_use(DATABASE)
    _channel_replace()
    client, supply = bills.his_client(), Supply(first + worker, first + share - 1, step)

    def collect() -> None:
        _collect(client, supply.take())

    return collect


def floor(worker: int, *, first: int, share: int, step: int) -> Operation:
    """The same rows by the fewest round trips there are."""
    _database_use(DATABASE)
    supply = Supply(first + worker, first + share - 1, step)
    collect = _floor_of(DATABASE)
    return lambda: collect(supply.take())


def _collect(client: Any, bill: int) -> None:
    collect_start(
        client=client,
        invoice_no=f"B{bill}",
        request_no=f"R{bill}",
        method="auto",
        auth_code="",
        operator=bills.OPERATOR,
        input_hash=f"{bill:064d}",
    )
    invoice_drive(invoice_id=bill)


def _floor_of(database: str) -> Any:
    parameters = connection.settings_dict
    link = psycopg.connect(dbname=database, user=parameters["USER"], host=parameters["HOST"])
    client_id = bills.his_client().pk
    connections.close_all()
    operator = (bills.OPERATOR.code, bills.OPERATOR.name)
    return floor_collect(link, client_id=client_id, operator=operator, channel_no=PAID.channel_no)


def _database_use(name: str) -> None:
    connection.settings_dict["NAME"] = name
    accounts_forget()  # they are rows of the database used before


def _channel_replace() -> None:
    settings.PAYMENT_CHANNELS = {"wechat_pay": f"{HERE}.InstantChannel"}


def _check_books() -> None:
    """What was measured must have happened: every bill paid or untouched, the books whole."""
    statuses = Counter(Invoice.objects.values_list("status", flat=True))
    report = ledger_check()
    if set(statuses) - {"ISSUED", "PAID"} or not report.sound:
        raise RuntimeError(f"the bench left {dict(statuses)}: {report}")


def _check_floor(cluster: Cluster) -> None:
    """The floor leaves the rows a real collect leaves: no fewer, no other values."""
    name = cluster.portal_database("bench_collect_rows")
    _database_use(name)
    _channel_replace()
    bills.bills_prepare(4)
    client = bills.his_client()
    _collect(client, bills.FIRST)  # the accounts exist from here on
    settle = _floor_of(name)
    rows_compare(
        lambda: _collect(client, bills.FIRST + 1),
        lambda: settle(bills.FIRST + 2),
        (bills.FIRST + 1, bills.FIRST + 2),
        WRITTEN,
        LIKENESS,
    )
    connections.close_all()


def _statements(cluster: Cluster) -> dict[str, int]:
    """How many statements one collect sends for bills of so many lines."""
    counted = {}
    client = people.his_client()
    for lines in (1, *LINES):  # the first teaches the process what it keeps
        visit = people.encounter()
        payments.agreement(visit.patient)
        issued = bill_factory.invoice(*([100] * lines), of=visit)
        # A still clock: outside production a moving one is read from the database now and then.
        with clock.freeze(clock.now()), CaptureQueriesContext(connection) as captured:
            collect_start(
                client=client,
                invoice_no=issued.invoice_no,
                request_no=issued.invoice_no,
                method="auto",
                auth_code="",
                operator=bills.OPERATOR,
                input_hash="",
            )
            invoice_drive(invoice_id=issued.pk)
        skipped = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
        counted[str(lines)] = sum(
            not str(one["sql"]).startswith(skipped) for one in captured.captured_queries
        )
    connections.close_all()
    return counted
