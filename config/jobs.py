"""The schedule brought to the database, looked up by key, and replayed over simulated time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from config.schedule import JOBS
from core.errors import NotFound
from core.jobs import Job, job_due_times

TASK = "config.tasks.run_job"
ABSENT = "Not in the schedule any more."
# While simulated time passes, a sweeper runs this often at least, and before every daily job.
SWEEP_STEPS_MAX = 4


def job_of(key: str) -> Job:
    """The job of a key, or NotFound naming the keys there are."""
    for job in JOBS:
        if job.key == key:
            return job
    keys = ", ".join(job.key for job in JOBS)
    raise NotFound("unknown_job", _("There is no job of this key; there are: %s") % keys, "job")


def schedule_sync(*, dry_run: bool = False) -> dict[str, list[str]]:
    """Upsert every job of the table and disable what is not in it. Staff may only pause: a job
    they paused stays paused."""
    known = {row.name: row for row in PeriodicTask.objects.filter(task=TASK)}
    wanted = {job.key: job for job in JOBS}
    changes = {
        "added": sorted(wanted.keys() - known.keys()),
        "kept": sorted(wanted.keys() & known.keys()),
        "disabled": sorted(
            name for name, row in known.items() if name not in wanted and row.enabled
        ),
    }
    if not dry_run:
        with transaction.atomic():
            # What we disabled ourselves comes back with its line of the table.
            PeriodicTask.objects.filter(name__in=wanted, description=ABSENT).update(enabled=True)
            for job in JOBS:
                PeriodicTask.objects.update_or_create(name=job.key, defaults=_timing(job))
            PeriodicTask.objects.filter(task=TASK, name__in=changes["disabled"]).update(
                enabled=False, description=ABSENT
            )
    return changes


def _timing(job: Job) -> dict[str, object]:
    fixed: dict[str, object] = {
        "task": TASK,
        "args": f'["{job.key}"]',
        "description": job.why,
        # A tick that could not be delivered in time is worthless: the next one is as good.
        "expire_seconds": job.every_s or None,
    }
    if job.every_s:
        every, _made = IntervalSchedule.objects.get_or_create(
            every=job.every_s, period=IntervalSchedule.SECONDS
        )
        return {**fixed, "interval": every, "crontab": None}
    assert job.at is not None
    daily, _made = CrontabSchedule.objects.get_or_create(
        minute=str(job.at.minute),
        hour=str(job.at.hour),
        day_of_week="*",
        day_of_month=str(job.month_day) if job.month_day else "*",
        month_of_year="*",
        timezone="Asia/Shanghai",
    )
    return {**fixed, "interval": None, "crontab": daily}


def jobs_between(after: datetime, until: datetime) -> Iterator[tuple[datetime, Job]]:
    """What is due in (after, until], in time order.

    A sweeper that would run thousands of times is thinned: a few evenly spaced runs, one before
    each daily job, and one at the end find all that its every run would have found.
    Nothing is due in a stretch that ends before it begins.
    """
    if until < after:
        return
    daily = sorted(
        (
            (at, job)
            for job in JOBS
            if job.at is not None
            for at in job_due_times(job, after, until)
        ),
        key=lambda due: due[0],
    )
    sweepers = [job for job in JOBS if job.every_s]
    step = (until - after) / SWEEP_STEPS_MAX
    ticks = {after + step * n for n in range(1, SWEEP_STEPS_MAX + 1)} | {at for at, _job in daily}
    for tick in sorted(ticks):
        for job in sweepers:
            yield tick, job
        for at, job in daily:
            if at == tick:
                yield tick, job
