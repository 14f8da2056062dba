from __future__ import annotations

import threading
from datetime import datetime, time, timedelta

import pytest
from django.db import connection, transaction

from core import clock
from core.jobs import Job, job_due_times, job_run
from core.models import JobRun


def at(*parts: int) -> datetime:
    return datetime(2026, *parts, tzinfo=clock.ZONE)


@pytest.mark.django_db
def test_run_is_recorded(still_clock):
    def work() -> int:
        still_clock.advance(timedelta(seconds=5))
        return 3

    run = job_run("resolve", work)
    assert run is not None
    stored = JobRun.objects.get()
    assert (stored.key, stored.outcome, stored.result) == ("resolve", "DONE", {"count": 3})
    assert stored.finished_at - stored.started_at == timedelta(seconds=5)


@pytest.mark.django_db
def test_failure_is_recorded_and_raised():
    with pytest.raises(ZeroDivisionError):
        job_run("resolve", lambda: {"n": 1 // 0})
    stored = JobRun.objects.get()
    assert (stored.outcome, stored.result) == ("FAILED", None)
    assert stored.error.startswith("ZeroDivisionError")
    # the lock is free again
    assert job_run("resolve", lambda: None) is not None


@pytest.mark.django_db(transaction=True)
def test_second_run_at_once_does_nothing():
    inside, go_on, ends = threading.Event(), threading.Event(), []

    def long() -> dict[str, int]:
        with transaction.atomic():
            inside.set()
        go_on.wait(5)
        with transaction.atomic():  # the lock spans transactions
            return {"done": 1}

    def first() -> None:
        ends.append(job_run("resolve", long))
        connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(5)
    assert job_run("resolve", lambda: pytest.fail("ran twice")) is None
    assert job_run("other", lambda: None) is not None
    go_on.set()
    thread.join()
    assert ends[0].result == {"done": 1}
    assert JobRun.objects.filter(key="resolve").count() == 1
    assert job_run("resolve", lambda: None) is not None


def test_due_times_of_a_period():
    job = Job("resolve", "core.clock.now", "why", every_s=600)
    assert list(job_due_times(job, at(11, 20, 10), at(11, 20, 10, 20))) == [
        at(11, 20, 10, 10), at(11, 20, 10, 20),
    ]  # fmt: skip
    assert list(job_due_times(job, at(11, 20, 10), at(11, 20, 10, 9))) == []


def test_due_times_of_a_day():
    job = Job("close_day", "core.clock.now", "why", at=time(0, 10))
    assert list(job_due_times(job, at(11, 20, 0, 10), at(11, 22, 0, 10))) == [
        at(11, 21, 0, 10), at(11, 22, 0, 10),
    ]  # fmt: skip
    monthly = Job("statements", "core.clock.now", "why", at=time(8), month_day=1)
    assert list(job_due_times(monthly, at(1, 31), at(4, 1, 7))) == [at(2, 1, 8), at(3, 1, 8)]
    assert job.resolve() is clock.now


@pytest.mark.parametrize(
    "_case", [{}, {"every_s": 5, "at": time(8)}, {"every_s": -1}, {"at": time(8), "month_day": 31}]
)
def test_job_without_a_clear_time(_case):
    with pytest.raises(ValueError):
        Job("k", "p", "why", **_case)
