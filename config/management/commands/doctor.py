"""Whether this installation can work, and what to do about what cannot."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from config.probes import EVERYTHING, State, findings
from core.commands import ExitCode, PortalCommand, Result

SIGNS = {State.OK: "ok      ", State.WARNING: "warning ", State.FAILED: "FAILED  "}


class Command(PortalCommand):
    help = "Look at settings, database, broker, keys, clock, calendar, static files and browser."
    # A doctor who refuses to see the ill is of no use: the checks are one of the questions.
    requires_system_checks = []  # noqa: RUF012 - Django declares it so

    def perform(self, **options: Any) -> Result:
        found = findings(EVERYTHING)
        failed = any(finding.state is State.FAILED for finding in found)
        lines = [f"{SIGNS[f.state]}{f.name:<11}{f.detail}" for f in found]
        data = {"ok": not failed, "findings": [asdict(finding) for finding in found]}
        return Result(data, "\n".join(lines), ExitCode.FAILURE if failed else ExitCode.OK)
