"""The table of beat jobs: each runs twice harmlessly, and the database follows the table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time, timedelta
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from django_celery_beat.models import PeriodicTask

from billing.channels.base import ChannelAnswer, Operation
from billing.ledger.checking import ledger_check
from billing.models import Agreement, HisEvent, Invoice, PaymentTransaction
from billing.services.events import relay
from config import jobs
from config.celery import app
from config.jobs import TASK, job_of, jobs_between, schedule_sync
from config.schedule import JOBS
from config.tasks import run_job
from core import clock
from core.errors import NotFound
from core.jobs import Job, job_run
from core.models import JobRun
from core.outbound import OutboundAnswer, OutboundRequest
from core.outcomes import Outcome
from patients.messengers.base import SENT, Delivered
from patients.models import HisClient, Notification
from patients.services import notifications
from tests import scripted
from tests.billing.services.bills import ask_back, in_flight, paid
from tests.factories import payments
from tests.factories.patients import patient

every_job = pytest.mark.parametrize("job", JOBS, ids=lambda job: job.key)
SIGNED = ChannelAnswer(Outcome.SUCCEEDED, channel_no="202600000001", payer_id="oHolder")
# Rows that say when something was looked at, not what became true.
UNJUDGED = {"core.jobrun", "core.outboundcall"}


@pytest.fixture
def outside(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Counterparties in process, tasks run where they are sent; returns who was called."""
    called: list[str] = []

    class Phone:
        def send(self, message: object) -> Delivered:
            called.append("messenger")
            return SENT

    def push(_request: OutboundRequest) -> OutboundAnswer:
        called.append("his")
        return OutboundAnswer(204, {}, b"", None, 1)

    def agreement_query(_channel: object, _order: object) -> ChannelAnswer:
        called.append("agreement")
        return SIGNED

    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.scripted.ScriptedChannel",
        "cash": "billing.channels.cash.Cash",
    }
    scripted.reset()
    monkeypatch.setattr(notifications, "messenger_get", lambda _code: Phone())
    monkeypatch.setattr(relay, "send", push)
    monkeypatch.setattr(scripted.ScriptedChannel, "agreement_query", agreement_query, raising=False)
    app.conf.update(task_always_eager=True, task_eager_propagates=True)
    yield called
    app.conf.update(task_always_eager=False, task_eager_propagates=False)
    scripted.reset()


@pytest.fixture
def small_world(outside: list[str], still_clock: clock.FrozenClock) -> None:
    """Yesterday: a bill paid, one in flight, one whose drive was lost, a return owed, a mandate
    being signed; its events and messages waiting. Today everything is due."""
    HisClient.objects.update(events_url="http://his.example/e")
    ask_back(paid(1_000))
    in_flight(2_000)
    lost = in_flight(3_000)
    Invoice.objects.filter(pk=lost.pk).update(due_at=clock.now())
    ward, holder = patient(), payments.user()
    payments.access(ward, holder)
    payments.signing([ward], holder)
    HisClient.objects.update(events_url="http://his.example/e")
    still_clock.advance(timedelta(days=1))
    scripted.CALLS.clear()


def run(job: Job) -> JobRun:
    ran = job_run(job.key, job.resolve())
    assert ran is not None
    assert ran.outcome == "DONE"
    return ran


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the house."""
    return {model._meta.label_lower: _rows(model) for model in apps.get_models() if _judged(model)}


def _judged(model: type[Model]) -> bool:
    own = not model.__module__.startswith("django") and model._meta.managed
    return own and not model._meta.proxy and model._meta.label_lower not in UNJUDGED


def _rows(model: type[Model]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(model._meta.db_table)
        cursor.execute(f"SELECT t::text FROM {table} AS t ORDER BY 1")
        return cursor.fetchall()


@every_job
@pytest.mark.django_db
def test_on_an_empty_house_nothing_happens_twice(job: Job, outside: list[str]) -> None:
    before = everything()
    assert [run(job).result for _run in range(2)] == [{"count": 0}] * 2
    assert everything() == before
    assert outside == scripted.CALLS == []


@every_job
@pytest.mark.django_db
def test_it_comes_to_an_end_and_then_changes_nothing(
    job: Job, small_world: None, outside: list[str]
) -> None:
    # a run is bounded (of a bill's events it pushes the next one), so it may take some
    found = [run(job).result for _run in range(5)]
    assert found[-1] == {"count": 0}, found
    after, calls = everything(), [*outside, *scripted.CALLS]
    assert run(job).result == {"count": 0}
    assert everything() == after
    assert [*outside, *scripted.CALLS] == calls


@pytest.mark.django_db
def test_all_of_them_together_bring_the_small_world_to_its_end(
    small_world: None, outside: list[str]
) -> None:
    scripted.script(Operation.QUERY, scripted.PAID, scripted.PAID)
    for _round in range(2):
        for job in JOBS:
            run(job)
    assert sorted(Invoice.objects.values_list("amount_fen", "status")) == [
        (1_000, "REFUNDED"),
        (2_000, "PAID"),
        (3_000, "PAID"),
    ]
    assert not PaymentTransaction.objects.exclude(due_at=None).exists()
    assert not HisEvent.objects.filter(delivered_at=None).exists()
    assert set(Notification.objects.values_list("status", flat=True)) <= {"SENT"}
    assert Agreement.objects.get(contract_id="202600000001").status == "ACTIVE"
    assert ledger_check().sound


@every_job
def test_a_job_says_why_and_leads_to_a_callable(job: Job) -> None:
    assert callable(job.resolve())
    assert len(job.why) > 20
    assert job_of(job.key) == job


def test_keys_are_unique_and_an_unknown_one_names_those_there_are() -> None:
    assert len({job.key for job in JOBS}) == len(JOBS)
    with pytest.raises(NotFound) as refused:
        job_of("nope")
    assert all(job.key in str(refused.value.message) for job in JOBS)


def beat(name: str) -> PeriodicTask:
    return PeriodicTask.objects.select_related("interval", "crontab").get(name=name)


@pytest.mark.django_db
def test_the_table_comes_to_the_database_and_a_second_time_changes_nothing() -> None:
    assert schedule_sync()["added"] == sorted(job.key for job in JOBS)
    rows = PeriodicTask.objects.filter(task=TASK)
    assert set(rows.values_list("name", flat=True)) == {job.key for job in JOBS}
    assert all(row.enabled and row.args == f'["{row.name}"]' for row in rows)
    for job in JOBS:
        row = beat(job.key)
        if job.every_s:
            assert (row.interval.every, row.interval.period) == (job.every_s, "seconds")
            assert (row.crontab, row.expire_seconds) == (None, job.every_s)
        else:
            assert job.at is not None
            at = (str(job.at.hour), str(job.at.minute), "Asia/Shanghai")
            assert (row.crontab.hour, row.crontab.minute, str(row.crontab.timezone)) == at
            assert row.interval is None
    assert schedule_sync() == {
        "added": [],
        "kept": sorted(job.key for job in JOBS),
        "disabled": [],
    }
    assert PeriodicTask.objects.filter(task=TASK).count() == len(JOBS)


@pytest.mark.django_db
def test_what_left_the_table_is_disabled_and_only_that(monkeypatch: pytest.MonkeyPatch) -> None:
    # given a table with one job more, and a row of somebody else
    gone = Job("old_job", "core.clock.now", "a job of an earlier release", at=time(3))
    monkeypatch.setattr(jobs, "JOBS", (*JOBS, gone))
    schedule_sync()
    interval = beat(JOBS[0].key).interval
    PeriodicTask.objects.create(name="theirs", task="celery.backend_cleanup", interval=interval)
    # when the table no longer has it
    monkeypatch.setattr(jobs, "JOBS", JOBS)
    assert schedule_sync(dry_run=True)["disabled"] == ["old_job"]
    assert beat("old_job").enabled
    assert schedule_sync()["disabled"] == ["old_job"]
    # then it alone is disabled, once
    assert not beat("old_job").enabled
    off = PeriodicTask.objects.filter(enabled=False).values_list("name", flat=True)
    assert list(off) == ["old_job"]
    assert schedule_sync()["disabled"] == []
    # and when the table has it again, it runs again
    monkeypatch.setattr(jobs, "JOBS", (*JOBS, gone))
    schedule_sync()
    assert (beat("old_job").enabled, beat("old_job").description) == (True, gone.why)


@pytest.mark.django_db
def test_what_staff_paused_stays_paused_and_follows_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    schedule_sync()
    paused = JOBS[0]
    PeriodicTask.objects.filter(name=paused.key).update(enabled=False)
    moved = Job(paused.key, paused.path, paused.why, at=time(4, 15))
    monkeypatch.setattr(jobs, "JOBS", (moved, *JOBS[1:]))
    schedule_sync()
    row = beat(paused.key)
    assert (row.enabled, row.interval, row.crontab.hour) == (False, None, "4")


@pytest.mark.django_db
def test_the_command_shows_before_it_writes() -> None:
    said = StringIO()
    call_command("sync_schedule", "--dry-run", stderr=said)
    assert JOBS[0].key in said.getvalue()
    assert not PeriodicTask.objects.filter(task=TASK).exists()
    call_command("sync_schedule", stderr=said)
    assert PeriodicTask.objects.filter(task=TASK).count() == len(JOBS)


@pytest.mark.django_db
def test_beat_runs_a_job_by_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job("count", "tests.config.test_schedule.counted", "a job of this test", every_s=1)
    monkeypatch.setattr(jobs, "JOBS", (job,))
    run_job("count")
    assert JobRun.objects.get(key="count").result == {"count": 7}


def counted() -> int:
    return 7


def test_over_simulated_time_sweepers_run_before_every_daily_job() -> None:
    after = clock.now()
    due = list(jobs_between(after, after + timedelta(days=2)))
    assert [at for at, _job in due] == sorted(at for at, _job in due)
    daily = [(at, job.key) for at, job in due if job.at is not None]
    assert len(daily) == 2 * sum(1 for job in JOBS if job.at is not None and not job.month_day)
    sweepers = {job.key for job in JOBS if job.every_s}
    for at, _key in daily:
        assert {job.key for when, job in due if when == at} >= sweepers
    assert {job.key for when, job in due if when == after + timedelta(days=2)} >= sweepers


@pytest.mark.django_db
def test_beat_makes_no_rows_of_its_own(admin_client: Client) -> None:
    schedule_sync()
    interval = beat(JOBS[0].key).interval
    PeriodicTask.objects.create(name="theirs", task="celery.backend_cleanup", interval=interval)
    page = admin_client.get("/admin/django_celery_beat/periodictask/")
    assert page.status_code == 200
    assert "theirs" not in page.content.decode()
    assert app.conf.result_expires is None
