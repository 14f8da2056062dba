"""Beat's one task: run a job of `config/schedule.py` by its key, under its lock."""

from __future__ import annotations

from celery import shared_task

from config.jobs import job_of
from core.jobs import job_run


@shared_task(ignore_result=True)
def run_job(key: str) -> None:
    """Run a job unless it runs already; the next tick comes anyway."""
    job = job_of(key)
    job_run(key, job.resolve(), keep_idle=False)
