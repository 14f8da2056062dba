"""`manage.py run_due <job>`: run one beat job now, as beat would."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from config.jobs import job_of
from core.commands import ExitCode, PortalCommand, Result
from core.errors import BadInput, NotFound
from core.jobs import job_run


class Command(PortalCommand):
    help = "Run one job of the schedule now; safe at any time."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("job", help="a key of config/schedule.py")

    def perform(self, **options: Any) -> Result:
        try:
            job = job_of(options["job"])
        except NotFound as error:
            raise BadInput(error.code, error.message, error.field) from error
        run = job_run(job.key, job.resolve())
        if run is None:
            text = f"{job.key} is running already"
            return Result({"job": job.key, "ran": False}, text, ExitCode.LOCKED)
        data = {"job": job.key, "ran": True, "result": run.result}
        return Result(data, f"{job.key}: {run.result}")
