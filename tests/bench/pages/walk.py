"""Opening pages as people do, through the whole of Django, and what each cost the server."""

from __future__ import annotations

import gzip
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from django.contrib.staticfiles import finders
from django.test import Client

from core.models import User
from tests.bench.pages.plans import offenders, statements_recorded
from tests.bench.pages.visits import Page, Visit

WARM_UP = 3  # visits before the first that counts: templates, plans and connection are there
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148 Safari/604.1"
ASSET = re.compile(r'(?:href|src)="/static/([^"?#]+)')


@dataclass(frozen=True, slots=True)
class Walked:
    """A page as it was found: milliseconds at the server, statements, size, reads end to end.

    `first_ms` is the median of each person's first visit, whose rows may still lie on the disk;
    `cpu_ms` of what Python itself took, which tells on a machine that is not quiet.
    """

    page: Page
    p50_ms: float
    p95_ms: float
    first_ms: float
    cpu_ms: float
    statements: int
    kb: float
    offenders: list[str]


def page_walk(page: Page, *, large: set[str]) -> Walked:
    """Every visit twice, each of them another person's; the second time counts."""
    if not page.visits:
        raise RuntimeError(f"nobody to open {page.name!r}: the town is too small")
    for visit in page.visits[-WARM_UP:]:
        _answer(visit)
    found = page_offenders(page, large=large)
    first_ms = median(_timed(_client(visit.user), visit)[0] for visit in page.visits)
    times, busy, most = [], [], 0
    for visit in page.visits:
        client = _client(visit.user)
        with statements_recorded() as asked:
            elapsed, worked = _timed(client, visit)
        times.append(elapsed)
        busy.append(worked)
        most = max(most, asked.count)
    *_, p95 = quantiles(times, n=20) if len(times) > 1 else times * 2
    return Walked(
        page=page,
        p50_ms=median(times),
        p95_ms=p95,
        first_ms=first_ms,
        cpu_ms=median(busy),
        statements=most,
        kb=_kb(_answer(page.visits[0])),
        offenders=found,
    )


def page_offenders(page: Page, *, large: set[str]) -> list[str]:
    """The reads from end to end that the first and the last visitor ask for."""
    found: set[str] = set()
    for visit in (page.visits[-1], page.visits[0]):
        client = _client(visit.user)
        with statements_recorded() as asked:
            _check(visit, _ask(client, visit))
        found.update(offenders(asked, large=large))
    return sorted(found)


def _timed(client: Client, visit: Visit) -> tuple[float, float]:
    """Milliseconds until the answer, and those of them that Python worked."""
    begun, work = time.perf_counter(), time.process_time()
    answer = _ask(client, visit)
    ended, done = time.perf_counter(), time.process_time()
    _check(visit, answer)
    return (ended - begun) * 1000, (done - work) * 1000


def _answer(visit: Visit) -> Any:
    answer = _ask(_client(visit.user), visit)
    _check(visit, answer)
    return answer


def _ask(client: Client, visit: Visit) -> Any:
    if visit.data is not None:
        return client.post(visit.path, visit.data)
    return client.get(visit.path)


def _check(visit: Visit, answer: Any) -> None:
    wanted = {visit.status} if visit.status else {200, 302}
    if answer.status_code not in wanted:
        raise RuntimeError(f"{visit.path} of {visit.user} answered {answer.status_code}")


@cache
def _client(user: int | str | None) -> Client:
    """A browser in which this account, or this member of staff, is signed in."""
    client = Client(headers={"User-Agent": PHONE})
    if user is not None:
        known = {"username": user} if isinstance(user, str) else {"pk": user}
        client.force_login(User.objects.get(**known))
    return client


def clients_forget() -> None:
    """Sessions live in the database that was walked through."""
    _client.cache_clear()


def _kb(answer: Any) -> float:
    """The page and the files it names, each compressed as the server sends it."""
    body = gzip.compress(answer.content)
    return (len(body) + sum(map(_asset_bytes, _assets(answer)))) / 1024


def _assets(answer: Any) -> Iterable[str]:
    return set(ASSET.findall(answer.content.decode(errors="replace")))


@cache
def _asset_bytes(name: str) -> int:
    found = finders.find(name)
    return len(gzip.compress(Path(str(found)).read_bytes())) if found else 0
