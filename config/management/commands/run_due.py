"""`manage.py run_due <job>`: run one beat job now, as beat would."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import override

from config.jobs import job_of
from core import clock
from core.commands import SPOKEN, ExitCode, PortalCommand, Result
from core.errors import BadInput, NotFound
from core.jobs import Job, job_run
from core.models import JobRun


class Command(PortalCommand):
    help = "Run one job of the schedule now; safe at any time."
    writes = True
    drives = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("job", help="a key of config/schedule.py")

    def perform(self, **options: Any) -> Result:
        try:
            with override(SPOKEN):
                job = job_of(options["job"])
        except NotFound as error:
            raise BadInput(error.code, error.message, error.field) from error
        if options["dry_run"]:
            return _would_run(job)
        run = job_run(job.key, job.resolve())
        if run is None:
            text = f"{job.key} is running already"
            return Result({"job": job.key, "ran": False}, text, ExitCode.LOCKED)
        data = {"job": job.key, "ran": True, "result": run.result}
        return Result(data, f"{job.key} ran: {_found(run.result)}")


def _found(result: Any) -> str:
    """What a run came to; most jobs count what was due for them."""
    if not isinstance(result, dict):
        return "done"
    if result.keys() != {"count"}:
        return ", ".join(f"{what} {value}" for what, value in result.items()) or "done"
    count = result["count"]
    return f"{count} {'was' if count == 1 else 'were'} due" if count else "nothing was due"


def _would_run(job: Job) -> Result:
    """What it is for and when it last ran; what it finds is known only by doing it."""
    last = JobRun.objects.filter(key=job.key).order_by("-pk").first()
    ran_at = last.started_at.astimezone(clock.ZONE) if last else None
    data = {"job": job.key, "ran": False, "dry_run": True, "why": job.why, "last_run_at": ran_at}
    said = f"last run {ran_at.isoformat(timespec='seconds')}" if ran_at else "it has not run yet"
    return Result(data, f"would run {job.key}: {job.why}; {said}")
