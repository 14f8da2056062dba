"""Whether this installation can work, and what to do about what cannot."""

from __future__ import annotations

from typing import Any

from config.findings import findings_result
from config.probes import EVERYTHING, findings
from core.commands import PortalCommand, Result


class Command(PortalCommand):
    help = "Look at settings, database, broker, keys, clock, calendar, static files and browser."
    # A doctor who refuses to see the ill is of no use: the checks are one of the questions.
    requires_system_checks = []  # noqa: RUF012 - Django declares it so

    def perform(self, **options: Any) -> Result:
        return findings_result(findings(EVERYTHING))
