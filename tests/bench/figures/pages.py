"""`pages`: what a page and a search cost the server in a hospital of a million patients.

The town (`tests.bench.pages`: 1,000,000 patients, 5,000,000 bills; `PAGES_SCALE` shrinks it) is
built once in the bench's own cluster and kept for the next run; migrations that came since are
applied to it as a hospital would. Then every page is opened through Django by `PAGES_VISITS`
different people, the clock standing where the town was finished. Nothing is gated: times are of
this machine. What misses its aim, and which statement reads a large table from end to end, is said.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

from django.db import connection, connections
from django.test.utils import override_settings

from config.catalogue import catalogue_compile
from core import clock
from tests.bench import pages
from tests.bench.cluster import ROOT, Cluster
from tests.bench.pages.building import town_build
from tests.bench.pages.plans import large_tables
from tests.bench.pages.town import Town
from tests.bench.pages.visits import PAGE_KB, Page, pages_of
from tests.bench.pages.walk import Walked, clients_forget, page_walk
from tests.bench.report import Case

DATABASE = "bench_pages"
SCALE = float(os.environ.get("PAGES_SCALE", "1"))
VISITS = int(os.environ.get("PAGES_VISITS", "50"))
PROCESSES = 2
BUILDERS = ("building", "copies", "models", "people", "town")  # what decides how the town looks


def measure(cluster: Cluster) -> list[Case]:
    catalogue_compile()
    town = _town(cluster)
    _database_use()
    large = large_tables()
    with clock.freeze(town.built_at), override_settings(STAFF_SECOND_FACTOR=False):
        walked = [_walk(page, large) for page in pages_of(town, VISITS)]
    clients_forget()
    connections.close_all()
    for one in walked:
        for line in one.offenders:
            print(f"{one.page.name}: {line}", file=sys.stderr)
    return [_case(one, town) for one in walked]


def _walk(page: Page, large: set[str]) -> Walked:
    print(f"  opening {page.name}", file=sys.stderr, flush=True)
    return page_walk(page, large=large)


def _case(one: Walked, town: Town) -> Case:
    page = one.page
    said = [f"p50 {one.p50_ms:.0f}, first {one.first_ms:.0f}, {one.statements} statements"]
    said += [f"{one.kb:.0f} KB"] if page.weighed else []
    return Case(
        f"pages.{page.name}".replace(" ", "_"),
        one.p95_ms,
        "ms p95",
        extra={
            "p50": round(one.p50_ms, 1),
            "first": round(one.first_ms, 1),
            "cpu_ms": round(one.cpu_ms, 1),
            "statements": {"1": one.statements},
            "kb": round(one.kb, 1),
            "patients": town.patients,
        },
        note="; ".join([*said, f"aim {page.aim_ms} ms", *misses(one)]),
    )


def misses(one: Walked) -> list[str]:
    """What was hoped for and is not so, in words."""
    page, found = one.page, []
    if one.p95_ms > page.aim_ms:
        found.append("MISS: slower than its aim")
    if page.statements is not None and one.statements > page.statements:
        found.append(f"MISS: more than {page.statements} statements")
    if page.weighed and one.kb > PAGE_KB:
        found.append(f"MISS: larger than {PAGE_KB} KB")
    found += [f"MISS: {line.partition(':')[0]}" for line in one.offenders]
    return found


def _town(cluster: Cluster) -> Town:
    """The town of the last run if it is the same one, else a new one."""
    mark = cluster.directory / "pages.json"
    known = json.loads(mark.read_text()) if mark.exists() else {}
    wanted = {"scale": SCALE, "builders": _builders()}
    if {key: known.get(key) for key in wanted} == wanted:
        _migrate(cluster)
        return Town.of(SCALE, datetime.fromisoformat(known["built_at"]))
    mark.unlink(missing_ok=True)
    cluster.portal_database(DATABASE)
    _database_use()
    town, begun = Town.of(SCALE), time.perf_counter()
    with clock.freeze(town.built_at):
        town_build(town, processes=PROCESSES)
    connections.close_all()
    cluster.settle(DATABASE)
    seconds = time.perf_counter() - begun
    print(f"  {town.patients:,} patients, {town.bills:,} bills: {seconds:,.0f} s", file=sys.stderr)
    mark.write_text(json.dumps({**wanted, "built_at": town.built_at.isoformat()}))
    return town


def _builders() -> str:
    folder = Path(str(pages.__file__)).parent
    digest = hashlib.sha256()
    for name in BUILDERS:
        digest.update((folder / f"{name}.py").read_bytes())
    return digest.hexdigest()


def _migrate(cluster: Cluster) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
    environment = {**os.environ, "DATABASE_URL": cluster.url(DATABASE)}
    subprocess.run(command, check=True, cwd=ROOT, env=environment)
    cluster.settle(DATABASE)


def _database_use() -> None:
    connections.close_all()
    connection.settings_dict["NAME"] = DATABASE
