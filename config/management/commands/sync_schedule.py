"""`manage.py sync_schedule`: bring `config/schedule.py` to the database, at deploy."""

from __future__ import annotations

from typing import Any

from config.jobs import schedule_sync
from core.commands import PortalCommand, Result


class Command(PortalCommand):
    help = "Upsert every beat job of the schedule and disable rows that are not in it."
    writes = True

    def perform(self, **options: Any) -> Result:
        changes = schedule_sync(dry_run=options["dry_run"])
        text = "; ".join(f"{what}: {', '.join(keys) or 'none'}" for what, keys in changes.items())
        if options["dry_run"]:
            text = f"dry run, nothing is written; {text}"
        return Result({**changes, "dry_run": options["dry_run"]}, text)
