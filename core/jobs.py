"""Beat jobs: what one is, when it is due, and one run of it under its lock.

The literal table of jobs is `config/schedule.py`. A job is safe to run twice and at any time; the
lock only spares the work. A run that ends without its end written was killed; the next one starts
afresh.
"""

from __future__ import annotations

import time as monotonic_time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils.module_loading import import_string

from core import clock
from core.locking import advisory_number
from core.models import JobRun

_ERROR_LENGTH_MAX = 500
_HEARTBEAT_S = 60.0
_kept_at: dict[str, float] = {}

JobResult = Mapping[str, Any] | int | None


@dataclass(frozen=True, slots=True)
class Job:
    """One beat job: a callable by its dotted path, and either a period or a time of day.

    `why` says why this hour or period. `month_day` limits a daily time to one day of the month.
    """

    key: str
    path: str
    why: str
    every_s: int = 0
    at: time | None = None
    month_day: int = 0

    def __post_init__(self) -> None:
        if (self.every_s > 0) == (self.at is not None):
            raise ValueError(f"{self.key}: a job has a period or a time of day")
        if not 0 <= self.month_day <= 28:  # noqa: PLR2004
            raise ValueError(f"{self.key}: only days 1 to 28 exist in every month")

    def resolve(self) -> Callable[[], JobResult]:
        """The callable behind the path."""
        target: Callable[[], JobResult] = import_string(self.path)
        return target


def job_due_times(job: Job, after: datetime, until: datetime) -> Iterator[datetime]:
    """The instants in (after, until] at which the job is due, in order; for simulated time."""
    if job.every_s:
        step = timedelta(seconds=job.every_s)
        due = after + step
        while due <= until:
            yield due
            due += step
        return
    assert job.at is not None
    day = clock.business_day(after)
    while day <= clock.business_day(until):
        due = datetime.combine(day, job.at, tzinfo=clock.ZONE)
        if after < due <= until and job.month_day in (0, day.day):
            yield due
        day += timedelta(days=1)


def job_run(key: str, fn: Callable[[], JobResult], *, keep_idle: bool = True) -> JobRun | None:
    """Run once and keep a JobRun; None if another run of the same job holds the lock.

    What the job raises is recorded and raised again. A sweeper of every second (`keep_idle` false)
    leaves a row only when it found something, failed, or a minute passed: its heartbeat.
    """
    with session_lock(f"job:{key}") as held:
        if not held:
            return None
        run = JobRun(key=key, started_at=clock.now())
        if keep_idle:
            run.save()
        try:
            result = fn()
        except Exception as error:
            _finish(run, JobRun.Status.FAILED, None, f"{type(error).__name__}: {error}")
            raise
        if keep_idle or result or _beat_due(key):
            _finish(run, JobRun.Status.DONE, result, "")
        return run


def _beat_due(key: str) -> bool:
    now = monotonic_time.monotonic()
    if now - _kept_at.get(key, -_HEARTBEAT_S) < _HEARTBEAT_S:
        return False
    _kept_at[key] = now
    return True


@contextmanager
def session_lock(key: str) -> Iterator[bool]:
    """Hold a name across transactions, never waiting; yields whether it was free."""
    number = advisory_number(key)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        row = cursor.fetchone()
    held = bool(row and row[0])
    try:
        yield held
    finally:
        # A connection lost on the way has given the lock back by itself.
        if held and connection.connection is not None and not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _finish(run: JobRun, outcome: JobRun.Status, result: JobResult, error: str) -> None:
    run.outcome = outcome
    run.result = {"count": result} if isinstance(result, int) else result
    run.error = error[:_ERROR_LENGTH_MAX]
    run.finished_at = clock.now()
    run.save()
