"""`journal_post`: one entry of four legs through the ledger's public function.

The same legs everywhere: a channel's clearing and a window's drawer are debited, a patient's
receivable and a deposit are credited. Ours and the floor hold BEGIN, one statement and COMMIT;
`autocommit` is the same function without a transaction around it. The peer is django-hordak as its
documentation posts: a transaction and four `Leg.objects.create`.
"""

from __future__ import annotations

import os
import random
from contextlib import ExitStack
from importlib.util import find_spec
from itertools import count
from statistics import median

import psycopg
from django.db import connection, connections, transaction

from billing.ledger.chart import Event
from billing.ledger.entries import Leg
from billing.ledger.services import entry_post
from core import clock
from tests.bench.cluster import Cluster
from tests.bench.crew import Crew, Operation
from tests.bench.report import Case
from tests.bench.rounds import ratio, rounds_run

HERE = "tests.bench.figures.journal_post"
DATABASE = "bench_journal_post"
HORDAK = "tests.bench.peers.hordak"
DISTINCT = 1000  # merchants, drawers and deposits to choose from; the hot case takes one
BOOKS = 50_000  # entries that stand in the books before the first window

FLOOR = """
WITH entry AS (
  INSERT INTO ledger_entry
    (reference, event, occurred_at, created_at, business_day, invoice_id, posting_count)
  VALUES (%s, %s, %s, %s, %s, %s, 4)
  ON CONFLICT (reference) DO NOTHING RETURNING id, business_day
), legs AS (
  INSERT INTO ledger_posting (entry_id, line_no, account_id, subject, amount_fen, business_day)
  SELECT entry.id, leg.*, entry.business_day FROM entry, (VALUES
    (1::smallint, %s::bigint, 0::bigint, 9000::bigint), (2::smallint, %s::bigint, 0, 1000),
    (3::smallint, %s::bigint, %s::bigint, -6000), (4::smallint, %s::bigint, 0, -4000)
  ) AS leg (line_no, account_id, subject, amount_fen)
)
SELECT id FROM entry
"""

SEED = """
WITH entry AS (
  INSERT INTO ledger_entry
    (reference, event, occurred_at, created_at, business_day, invoice_id, posting_count)
  SELECT 'seed-' || n, 'captured', now(), now(), %(today)s, n, 4 FROM generate_series(1, %(n)s) n
  RETURNING id, business_day, invoice_id
)
INSERT INTO ledger_posting (entry_id, line_no, account_id, subject, amount_fen, business_day)
SELECT entry.id, leg.line_no, a.id, leg.subject, leg.amount_fen, entry.business_day
FROM entry, LATERAL (VALUES
  (1, 'clearing/wechat_pay/' || entry.id %% %(distinct)s, 0, 9000),
  (2, 'cash_drawer/' || entry.id %% %(distinct)s, 0, 1000),
  (3, 'patient_receivable', entry.invoice_id, -6000),
  (4, 'patient_deposit/' || entry.id %% %(distinct)s, 0, -4000)
) AS leg (line_no, code, subject, amount_fen) JOIN ledger_account a USING (code)
"""


def measure(cluster: Cluster) -> list[Case]:
    cluster.portal_database(DATABASE)
    _books_seed()
    connections.close_all()
    cluster.settle(DATABASE)
    hordak = _hordak_prepare(cluster)
    cases: list[Case] = []
    for connection_count in (1, 4, 16):
        cases += _measure_at(connection_count, hordak=hordak and connection_count <= 4)
    if not hordak:
        note = "skipped: django-hordak is not installed (dependency group bench)"
        cases.append(Case("peer.hordak.c1", None, "entries/s", note=note))
    return cases


def _measure_at(connections_: int, *, hordak: bool) -> list[Case]:
    """All contenders at one number of connections, in the same rounds."""
    at = f"c{connections_}"
    crews = {
        "floor": Crew(f"{HERE}.floor", connections_),
        "ours": Crew(f"{HERE}.ours", connections_, {"atomic": True, "hot": True}),
        "autocommit": Crew(f"{HERE}.ours", connections_, {"atomic": False, "hot": True}),
    }
    if connections_ == 16:
        crews["distinct"] = Crew(f"{HERE}.ours", 16, {"atomic": True, "hot": False})
    if hordak:
        crews["hordak"] = Crew(
            f"{HORDAK}.post", connections_, django_settings="tests.bench.peers.hordak_settings"
        )
    with ExitStack() as stack:
        for crew in crews.values():
            stack.enter_context(crew)
        rates = rounds_run(crews)
    target = 0.6 if connections_ <= 4 else None
    cases = [
        _case(
            f"journal_post.{at}", rates, "ours", "floor", target=target, rss=crews["ours"].rss_mb
        ),
        _case(f"journal_post.autocommit.{at}", rates, "autocommit", "floor"),
    ]
    if "distinct" in rates:
        note = "every entry on the same accounts; floor: accounts chosen at random"
        cases.append(_case("journal_post.hot", rates, "ours", "distinct", target=0.9, note=note))
    if hordak:
        note = "ours beside django-hordak's four legs as documented"
        cases.append(_case(f"peer.hordak.{at}", rates, "ours", "hordak", target=2.0, note=note))
    return cases


def _case(
    name: str,
    rates: dict[str, list[float]],
    ours_: str,
    other: str,
    *,
    target: float | None = None,
    note: str = "",
    rss: float = 0.0,
) -> Case:
    return Case(
        name,
        median(rates[ours_]),
        "entries/s",
        median(rates[other]),
        ratio(rates[ours_], rates[other]),
        target,
        {"rss_mb": round(rss)} if rss else {},
        note,
    )


def ours(worker: int, *, atomic: bool, hot: bool) -> Operation:
    """`entry_post`, as a service calls it (inside its transaction) or alone."""
    _database_use()
    numbers, chance = count(worker * 10_000_000 + 1), random.Random(worker)
    run = f"{os.getpid()}-"

    def post() -> None:
        invoice_id = next(numbers)
        which = 0 if hot else chance.randrange(DISTINCT)
        entry_post(
            reference=f"{run}{invoice_id}",
            event=Event.CAPTURED,
            occurred_at=clock.now(),
            legs=(
                Leg(f"clearing/wechat_pay/{which}", 9000),
                Leg(f"cash_drawer/{which}", 1000),
                Leg("patient_receivable", -6000, invoice_id),
                Leg(f"patient_deposit/{which}", -4000),
            ),
            invoice_id=invoice_id,
        )

    def post_atomic() -> None:
        with transaction.atomic():
            post()

    return post_atomic if atomic else post


def floor(worker: int) -> Operation:
    """The same rows by the fewest round trips there are."""
    _database_use()
    link = psycopg.connect(**_floor_parameters())
    cursor = link.cursor()
    codes = ("clearing/wechat_pay/0", "cash_drawer/0", "patient_receivable")
    cursor.execute("SELECT code, id FROM ledger_account")
    ids = dict(cursor.fetchall())
    clearing, drawer, receivable = (ids[code] for code in codes)
    deposit = ids["patient_deposit/0"]
    link.commit()
    numbers, run = count(worker * 10_000_000 + 1), f"{os.getpid()}-"

    def post() -> None:
        invoice_id = next(numbers)
        now = clock.now()
        values = (f"{run}{invoice_id}", "captured", now, now, now.date(), invoice_id)
        legs = (clearing, drawer, receivable, invoice_id, deposit)
        cursor.execute(FLOOR, values + legs, prepare=True)
        cursor.fetchone()
        link.commit()

    return post


def _floor_parameters() -> dict[str, object]:
    settings = connection.settings_dict
    return {"dbname": DATABASE, "user": settings["USER"], "host": settings["HOST"]}


def _database_use() -> None:
    connection.settings_dict["NAME"] = DATABASE


def _books_seed() -> None:
    _database_use()
    families = ("clearing/wechat_pay", "cash_drawer", "patient_deposit")
    codes = [f"{family}/{n}" for n in range(DISTINCT) for family in families]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_account (code, family, kind, needs_subject) SELECT code,"
            " split_part(code, '/', 1), 'asset', code = 'patient_receivable'"
            " FROM unnest(%s::text[]) AS code",
            [[*codes, "patient_receivable"]],
        )
        cursor.execute(SEED, {"today": clock.today(), "n": BOOKS, "distinct": DISTINCT})


def _hordak_prepare(cluster: Cluster) -> bool:
    if find_spec("hordak") is None:
        return False
    cluster.database_drop("bench_hordak")
    cluster.database_create("bench_hordak")
    os.environ["BENCH_HORDAK_HOST"] = str(cluster.server.socket_dir)
    with Crew(f"{HORDAK}.prepare", 1, django_settings="tests.bench.peers.hordak_settings"):
        pass
    return True
