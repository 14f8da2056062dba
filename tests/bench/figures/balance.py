"""`balance`: the balance of the busiest account in small books and in large ones.

Both books have the same open day; all the rest lies in closed days. A ledger whose balance is a sum
over its history slows down by the ratio of the histories (a hundred); ours should not notice.
"""

from __future__ import annotations

from datetime import timedelta
from statistics import median

from django.db import connection, connections

from billing.ledger.closing import day_close
from billing.ledger.selectors import account_balance
from core import clock
from tests.bench.cluster import Cluster
from tests.bench.crew import Crew, Operation
from tests.bench.report import Case
from tests.bench.rounds import ratio, rounds_run

HERE = "tests.bench.figures.balance"
BUSIEST = "clearing/wechat_pay/0"
OPEN_ENTRIES = 500  # two postings each, one of them on the busiest account
BOOKS = {"bench_balance_small": (9, 500), "bench_balance_large": (99, 5045)}  # days, entries a day

LOAD = """
WITH entry AS (
  INSERT INTO ledger_entry
    (reference, event, occurred_at, created_at, business_day, invoice_id, posting_count)
  SELECT %(day)s || '-' || n, 'captured', now(), now(), %(day)s::date, n, 2
  FROM generate_series(1, %(n)s) n RETURNING id, business_day, invoice_id
)
INSERT INTO ledger_posting (entry_id, line_no, account_id, subject, amount_fen, business_day)
SELECT entry.id, leg.line_no, a.id, leg.subject, leg.amount_fen, entry.business_day
FROM entry, LATERAL (VALUES
  (1, 'clearing/wechat_pay/0', 0, 100), (2, 'patient_receivable', entry.invoice_id, -100)
) AS leg (line_no, code, subject, amount_fen) JOIN ledger_account a USING (code)
"""


def measure(cluster: Cluster) -> list[Case]:
    totals = {}
    for name, (days, entries) in BOOKS.items():
        cluster.portal_database(name)
        _books_write(name, days, entries)
        totals[name] = (days * entries + OPEN_ENTRIES) * 2
        connections.close_all()
        cluster.settle(name)
    small, large = BOOKS
    with (
        Crew(f"{HERE}.balance", 1, {"database": small}) as few,
        Crew(f"{HERE}.balance", 1, {"database": large}) as many,
    ):
        rates = rounds_run({small: few, large: many})
    against = ratio(rates[large], rates[small])
    floor, value = (1000 / median(rates[name]) for name in (small, large))
    return [
        Case(
            "balance.growth",
            value,
            "ms",
            floor,
            against,
            round(1 / 1.2, 3),
            {"growth": round(1 / against, 3)},
            f"{totals[large]:,} postings beside {totals[small]:,}, the same open day",
        )
    ]


def balance(worker: int, *, database: str) -> Operation:
    connection.settings_dict["NAME"] = database
    days, entries = BOOKS[database]
    expected = (days * entries + OPEN_ENTRIES) * 100
    if account_balance(BUSIEST) != expected:
        raise RuntimeError(f"the books of {database} do not hold {expected} fen")
    return lambda: account_balance(BUSIEST)


def _books_write(database: str, days: int, entries: int) -> None:
    connections.close_all()
    connection.settings_dict["NAME"] = database
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_account (code, family, kind, needs_subject) VALUES"
            " (%s, 'clearing', 'asset', false),"
            " ('patient_receivable', 'patient_receivable', 'asset', true)",
            [BUSIEST],
        )
    first = clock.now() - timedelta(days=days)
    with clock.freeze(first) as frozen:
        for _ in range(days):
            _day_load(entries)
            day = clock.today()
            frozen.advance(timedelta(days=1))
            day_close(day)
        _day_load(OPEN_ENTRIES)


def _day_load(entries: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(LOAD, {"day": clock.today().isoformat(), "n": entries})
