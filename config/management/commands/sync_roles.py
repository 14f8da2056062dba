"""`manage.py sync_roles`: bring the groups of `config/roles.py` to the database, at deploy."""

from __future__ import annotations

from typing import Any

from config.roles import ROLES, roles_sync
from core.commands import PortalCommand, Result


class Command(PortalCommand):
    help = "Make the groups of staff and their rights as the table of roles says."
    writes = True
    exclusive = True

    def perform(self, **options: Any) -> Result:
        changed = roles_sync(dry_run=options["dry_run"])
        kept = sorted(ROLES.keys() - changed.keys())
        lines = [
            f"{role}: gains {', '.join(change['gains']) or 'nothing'};"
            f" loses {', '.join(change['loses']) or 'nothing'}"
            for role, change in changed.items()
        ]
        if kept:
            lines.append(f"as it should be: {', '.join(kept)}")
        if options["dry_run"]:
            lines.insert(0, "dry run, nothing is written")
        data = {"changed": changed, "kept": kept, "dry_run": options["dry_run"]}
        return Result(data, "\n".join(lines))
