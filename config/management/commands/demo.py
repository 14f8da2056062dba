"""`manage.py demo`: the whole hospital on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.demo.announce import demo_file, demo_print, demo_write
from config.demo.databases import database_beside
from config.demo.hospital import CAMPUSES, hospital_load
from config.demo.people import PEOPLE, people_load
from config.demo.processes import (
    NotStarted,
    Processes,
    beat_command,
    portal_command,
    sandbox_command,
    worker_command,
)
from config.demo.tags import tags_load
from config.jobs import schedule_sync
from core.commands import ExitCode, PortalCommand, Result
from core.embedded.addresses import broker_url, database_url
from core.embedded.run_file import run_file_remove, run_file_write
from core.models import User


class Command(PortalCommand):
    drives = True
    help = "Run portal, sandbox, worker and beat with a demo hospital, until Ctrl-C."
    writes = True
    exclusive = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--load-only", action="store_true", help="load the data and end")

    def perform(self, **options: Any) -> Result:
        if settings.PRODUCTION:
            return Result({}, "the demo does not run in production", ExitCode.REFUSED)
        if options["dry_run"]:
            return _would_open()
        self.say("opening the database …")
        call_command("migrate", verbosity=0, interactive=False)
        processes = Processes(settings.VAR_DIR / "log", _environment())
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_args: stopped.set())
        try:
            self._open(processes)
            if options["load_only"]:
                return Result({"loaded": True}, "loaded")
            return self._watch(processes, stopped)
        except NotStarted as error:
            return Result({"error": str(error)}, str(error), ExitCode.FAILURE)
        finally:
            demo_file().unlink(missing_ok=True)
            processes.stop()
            run_file_remove()

    def _open(self, processes: Processes) -> None:
        """Counterparties first, then the portal, then those who work for it."""
        self.say("starting the sandbox: wallets, channels, insurance …")
        credentials = settings.VAR_DIR / "sandbox"
        sandbox = processes.start(
            "sandbox", *sandbox_command(_port(settings.SANDBOX_URL), credentials)
        )
        processes.wait_for(sandbox, f"{settings.SANDBOX_URL}/healthz")
        run_file_write(
            {
                "database_url": database_url(),
                "broker_url": broker_url(),
                "portal_url": settings.PORTAL_URL,
                "sandbox_url": settings.SANDBOX_URL,
            }
        )
        self.say("loading the demo hospital …")
        his_token, logins = hospital_load(credentials=credentials / "wechat_pay.json")
        schedule_sync()
        portal = processes.start("portal", *portal_command(_port(settings.PORTAL_URL)))
        processes.start("worker", *worker_command())
        processes.start("beat", *beat_command(settings.VAR_DIR / "beat.pid"))
        processes.wait_for(portal, f"{settings.PORTAL_URL}/healthz")
        self.say("registering people, signing their agreements …")
        patients = people_load()
        demo_print(logins, patients, tags_load())
        demo_write(his_token, logins, patients)

    def _watch(self, processes: Processes, stopped: threading.Event) -> Result:
        while not stopped.wait(0.5):
            ended = processes.ended()
            if ended is not None:
                text = f"{ended.name} ended by itself; see {ended.log}"
                return Result({"error": text}, text, ExitCode.FAILURE)
        self.say("stopping …")
        return Result({"stopped": True}, "stopped")


def _would_open() -> Result:
    """What a start would do, read from what is there."""
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    loaded = User.objects.exists() if not missing else False
    data = {
        "would_migrate": missing,
        "would_load": {"campuses": len(CAMPUSES), "patients": len(PEOPLE)},
        "would_start": {
            "portal": settings.PORTAL_URL,
            "sandbox": settings.SANDBOX_URL,
            "worker": None,
            "beat": None,
        },
        "would_write": str(demo_file()),
        "dry_run": True,
    }
    found = "find again" if loaded else "load"
    lines = [
        f"would apply {missing} migrations",
        f"would {found} {len(CAMPUSES)} campuses and {len(PEOPLE)} patients",
        f"would start the portal at {settings.PORTAL_URL}, a worker and beat",
        f"would start the sandbox at {settings.SANDBOX_URL}",
        f"would write {demo_file()} and run until Ctrl-C",
    ]
    return Result(data, "\n".join(lines))


def _environment() -> dict[str, str]:
    """What every child needs to find the others, and people their window."""
    main = CAMPUSES[0]
    return {
        "PORTAL_ENV": "demo",
        "PYTHONPATH": str(Path(settings.BASE_DIR)),
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": broker_url(),
        "PORTAL_URL": settings.PORTAL_URL,
        "SANDBOX_URL": settings.SANDBOX_URL,
        "SANDBOX_PORT": str(_port(settings.SANDBOX_URL)),
        "SANDBOX_DATABASE_URL": os.environ.get(
            "SANDBOX_DATABASE_URL", database_beside("portal_sandbox")
        ),
        "SANDBOX_DEMO_FILE": str(demo_file()),
        "SANDBOX_HIS_EVENTS_SECRET": settings.DEMO_EVENTS_SECRET,
        "PORTAL_HOSPITAL": main[1],
        "PORTAL_WINDOW": main[2],
        "PORTAL_PHONE": main[3],
        "DJANGO_SETTINGS_MODULE": "config.settings",
    }


def _port(url: str) -> int:
    return urlsplit(url).port or 80
