"""What `doctor` and `/healthz` say of one question; also where settings cannot be read at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from core.results import ExitCode, Result


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"  # the portal serves, but somebody should know
    FAILED = "failed"


SIGNS = {State.OK: "ok      ", State.WARNING: "warning ", State.FAILED: "FAILED  "}


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question, with what to do about it."""

    name: str
    state: State
    detail: str


def findings_result(found: Sequence[Finding]) -> Result:
    """A line for each; one that failed is what the exit code says."""
    failed = any(finding.state is State.FAILED for finding in found)
    lines = [f"{SIGNS[f.state]}{f.name:<11}{f.detail}" for f in found]
    data = {"ok": not failed, "findings": [asdict(finding) for finding in found]}
    return Result(data, "\n".join(lines), ExitCode.FAILURE if failed else ExitCode.OK)
