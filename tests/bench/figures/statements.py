"""`statements`: a day of 20,000 settlements compared with the insurer (3201, 3202).

The portal's own comparison, the insurer in process with books of its own in which some rows are
missing, some others, some too many. What is printed is the time of the statement that matches the
insurer's rows with ours and keeps the differences; beside it how many statements the day sent.
Every planted difference must be found and no other: that is checked in every round.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from django.db import connection, connections

from core import clock
from insurance.models import Institution, InsurerStatement, StatementDifference
from tests.bench.cluster import Cluster
from tests.bench.report import Case
from tests.bench.rounds import ROUNDS
from tests.insurance import factories
from tests.insurance.day_books import Books, Differences, day_look, day_seed, differences_found

SETTLEMENTS = {"small": 200, "large": 20_000}
EACH = {"small": 3, "large": 100}
MATCHES = "INTO insurance_statementdifference"


@dataclass
class Watch:
    """An execute wrapper: how many statements there were, and how long those took that match."""

    sent: int = 0
    matching: list[float] = field(default_factory=list)

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self.sent += 1
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if MATCHES in str(sql):
                self.matching.append((time.perf_counter() - started) * 1000)


def measure(cluster: Cluster) -> list[Case]:
    small, large = (_day(cluster, size) for size in SETTLEMENTS)
    sent = {
        str(SETTLEMENTS[size]): one["sent"] for size, one in (("small", small), ("large", large))
    }
    cases = [
        Case(
            "statements",
            large["match_ms"],
            "ms",
            extra={"statements": sent, "matching": 1, "day_ms": round(large["day_ms"])},
            note=f"{SETTLEMENTS['large']:,} settlements matched by 1 statement,"
            f" {3 * EACH['large']} differences found, none invented;"
            f" the day in {large['day_ms']:,.0f} ms and {large['sent']} statements",
        )
    ]
    if len(set(sent.values())) != 1:
        cases.append(Case("statements.sent", max(sent.values()), "", ratio=0.0, target=1))
    return cases


def _day(cluster: Cluster, size: str) -> dict[str, Any]:
    """One day of this size, compared as often as there are rounds."""
    name = cluster.portal_database("bench_statements")
    connections.close_all()
    connection.settings_dict["NAME"] = name
    with clock.freeze(clock.now().replace(hour=12)):
        place = factories.institution()
        books = day_seed(place, SETTLEMENTS[size])
        wrong = books.differ(EACH[size])
        connections.close_all()
        cluster.settle(name)
        rounds = [_compared(place, books, wrong) for _ in range(ROUNDS)]
    connections.close_all()
    return {name: median(one[name] for one in rounds) for name in rounds[0]}


def _compared(place: Institution, books: Books, wrong: Differences) -> dict[str, float]:
    """The day as if it were compared for the first time."""
    StatementDifference.objects.all().delete()
    InsurerStatement.objects.all().delete()
    watch, started = Watch(), time.perf_counter()
    with connection.execute_wrapper(watch):
        day_look(place, books)
    day_ms = (time.perf_counter() - started) * 1000
    found = differences_found()
    if found != wrong or len(watch.matching) != 1:
        raise RuntimeError(
            f"{len(wrong - found)} differences were not found, {len(found - wrong)} invented,"
            f" {len(watch.matching)} statements matched"
        )
    return {"match_ms": watch.matching[0], "day_ms": day_ms, "sent": watch.sent}
