"""`claim`: from a shown code to a settled claim of thirty lines (2206, 2207), through the services.

`claim_price` and `claim_settle` in one process, the insurer's platform replaced by one that answers
at once: six calls, each intent committed before it is sent and each answer kept before the next.
The floor writes the same rows in one commit (`tests.bench.claim_floor`); that they are the same is
checked row by row before anything is measured.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from statistics import median
from typing import Any

import psycopg
from django.db import connection, connections

from core import clock
from insurance.models import Claim, InsuranceMessage, InsuranceReply
from tests.bench.bills import FIRST, Supply
from tests.bench.claim_floor import floor_claim
from tests.bench.claims import LINES, claims_prepare
from tests.bench.cluster import Cluster
from tests.bench.crew import WARM_UP, Crew, Operation
from tests.bench.report import Case
from tests.bench.rounds import ROUNDS, SECONDS, ratio, rounds_run
from tests.bench.same_rows import Likeness, rows_compare
from tests.insurance.instant import (
    SAID,
    claim_begun,
    insurer_replace,
    price_and_settle,
    statements_sent,
)

HERE = "tests.bench.figures.claim"
DATABASE = "bench_claim"
SIZES = (1, 10, 30, 100)
STATEMENTS_MAX = 50
RATIO_MIN, AIM_MS = 0.2, 40
WRITTEN = {
    *("insurance_claim", "insurance_claimline", "insurance_coverage", "insurance_insuredvisit"),
    *("insurance_insurancemessage", "insurance_insurancereply", "core_statechange"),
}
# Claims a second a contender may use up at most.
RATE_MAX = {"floor": 500, "ours": 120}
LIKENESS = Likeness(
    numbers=r"\b(MDOP|OP|SCB|CB|H44010000001|visit:)[0-9][0-9A-Z]*\b",
    ids="id|message_id|coverage_id|visit_id|settle_message|settle_message_id|entity_id",
    hidden="body_hash|person_no|person_index|number|card_serial",
)


def measure(cluster: Cluster) -> list[Case]:
    _check_floor(cluster)
    share = {name: WARM_UP + int(ROUNDS * SECONDS * most) for name, most in RATE_MAX.items()}
    first = {"floor": FIRST, "ours": FIRST + share["floor"]}
    cluster.portal_database(DATABASE)
    _database_use(DATABASE)
    claims_prepare(sum(share.values()))
    connections.close_all()
    cluster.settle(DATABASE)
    crews = {
        name: Crew(f"{HERE}.{name}", 1, {"first": first[name], "last": first[name] + share[name]})
        for name in RATE_MAX
    }
    with ExitStack() as stack:
        for crew in crews.values():
            stack.enter_context(crew)
        rates = rounds_run(crews)
    _check_rows()
    statements = _statements()
    connections.close_all()
    cases = [
        Case(
            "claim",
            1000 / median(rates["ours"]),
            "ms",
            1000 / median(rates["floor"]),
            ratio(rates["ours"], rates["floor"]),
            RATIO_MIN,
            {"statements": statements, "rss_mb": round(crews["ours"].rss_mb)},
            f"{LINES} lines priced and settled, {len(SAID)} calls; aim {AIM_MS} ms",
        )
    ]
    if len(set(statements.values())) != 1 or max(statements.values()) > STATEMENTS_MAX:
        cases.append(Case("claim.statements", max(statements.values()), "", ratio=0.0, target=1))
    return cases


def ours(worker: int, *, first: int, last: int) -> Operation:
    """The services, as the drive calls them."""
    _database_use(DATABASE)
    insurer_replace().start()
    supply = Supply(first, last - 1, 1)
    return lambda: price_and_settle(supply.take())


def floor(worker: int, *, first: int, last: int) -> Operation:
    """The same rows by the fewest round trips."""
    _database_use(DATABASE)
    supply = Supply(first, last - 1, 1)
    settle = _floor_of(DATABASE)
    return lambda: settle(supply.take())


def _floor_of(database: str) -> Any:
    parameters = connection.settings_dict
    link = psycopg.connect(dbname=database, user=parameters["USER"], host=parameters["HOST"])
    model = Claim.objects.order_by("pk").values_list("pk", flat=True)[0]
    connections.close_all()
    return floor_claim(link, model=model)


def _database_use(name: str) -> None:
    connection.settings_dict["NAME"] = name


def _check_floor(cluster: Cluster) -> None:
    """The floor leaves the rows that pricing and settling leave: no fewer, no other values."""
    name = cluster.portal_database("bench_claim_rows")
    _database_use(name)
    claims_prepare(4, settled=4)
    settle = _floor_of(name)
    with insurer_replace():
        rows_compare(
            lambda: price_and_settle(FIRST + 1), lambda: settle(FIRST + 2),
            (FIRST + 1, FIRST + 2), WRITTEN, LIKENESS,
        )  # fmt: skip
    connections.close_all()


def _check_rows() -> None:
    """What was measured must have happened: claims settled or untouched, every intent answered."""
    statuses = Counter(Claim.objects.values_list("status", flat=True))
    said, heard = InsuranceMessage.objects.count(), InsuranceReply.objects.count()
    if set(statuses) - {"OPEN", "SETTLED"} or said != heard:
        raise RuntimeError(f"the bench left {dict(statuses)}, {said} messages, {heard} replies")


def _statements() -> dict[str, int]:
    """How many statements pricing and settling send for claims of so many lines."""
    place = Claim.objects.select_related("institution__campus").order_by("pk")[0].institution
    counted = {}
    # A still clock: outside production a moving one is read from the database now and then.
    with clock.freeze(clock.now()), insurer_replace():
        for ref, lines in enumerate((1, *SIZES), 2):  # the first teaches the process what it keeps
            claim = claim_begun(place, ref, lines)
            counted[str(lines)] = statements_sent(lambda claim=claim: price_and_settle(claim.pk))
    return counted
