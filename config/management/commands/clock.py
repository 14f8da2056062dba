"""`manage.py clock`: look at the simulated clock, or move it forward with everybody's."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from config.demo.sandbox_client import SandboxError, sandbox_call
from config.jobs import jobs_between
from core import clock
from core.commands import ExitCode, PortalCommand, Result
from core.errors import BadInput, Conflict, NotOffered

STEP = re.compile(r"(-?)(\d{1,6})([smhd])")
# Who says "now" is not refused for the time that typing took; the sandbox allows the same.
TOLERANCE = timedelta(seconds=2)
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Command(PortalCommand):
    help = "Show the clock, or move it: --set 2026-12-01T09:00:00+08:00 or --advance 36h."
    writes = True

    def add_options(self, parser: CommandParser) -> None:
        group = parser.add_mutually_exclusive_group()
        group.add_argument("--set", help="an RFC 3339 instant with its zone")
        group.add_argument("--advance", help="30s, 15m, 36h or 2d")

    def run_from_argv(self, argv: list[str]) -> None:
        """A step back looks like an option to argparse, whose words would not say why not."""
        super().run_from_argv(_joined(argv))

    def perform(self, **options: Any) -> Result:
        if settings.PRODUCTION:
            raise NotOffered("clock_fixed", _("The clock cannot be moved here."))
        step = _step(options["advance"])
        now = clock.now()
        wanted = now + step if step is not None else _instant(options["set"])
        if wanted is None:
            return Result({"now": now.isoformat()}, now.isoformat())
        back = timedelta() if step is not None else TOLERANCE
        if wanted < now - back:
            text = _("The clock only moves forward; it is %s now.")
            where = "set" if step is None else "advance"
            raise Conflict("clock_backward", text % now.isoformat(timespec="seconds"), where)
        if options["dry_run"]:
            return _would_move(now, wanted)
        try:
            moved = sandbox_call("POST", "/_control/clock", _order(wanted, step))
        except SandboxError as error:
            return Result({"error": str(error)}, str(error), ExitCode.TRY_LATER)
        return Result(moved, f"it is {moved['now']}")


def _would_move(now: datetime, wanted: datetime) -> Result:
    """How far, and how often which daily job falls due on the way; sweepers run there too."""
    due = Counter(job.key for _at, job in jobs_between(now, wanted) if job.at is not None)
    data = {
        "now": now.isoformat(),
        "would_be": wanted.isoformat(),
        "jobs": dict(due),
        "dry_run": True,
    }
    lines = [f"would move the clock to {wanted.isoformat(timespec='seconds')}"]
    lines += [f"would run {key} {count} ×" for key, count in due.items()]
    return Result(data, "\n".join(lines))


def _order(wanted: datetime, step: timedelta | None) -> dict[str, Any]:
    """A step is added to the sandbox's clock: ours follows it and lies a moment behind."""
    if step is None:
        return {"now": wanted.isoformat()}
    return {"advance_s": step // timedelta(seconds=1)}


def _instant(at: str | None) -> datetime | None:
    if at is None:
        return None
    try:
        wanted = datetime.fromisoformat(at)
    except ValueError as error:
        raise BadInput("bad_time", _("Write the time as 2026-12-01T09:00:00+08:00.")) from error
    return wanted if wanted.tzinfo else wanted.replace(tzinfo=clock.ZONE)


def _step(text: str | None) -> timedelta | None:
    if text is None:
        return None
    match = STEP.fullmatch(text)
    if match is None:
        raise BadInput("bad_step", _("Write the step as 30s, 15m, 36h or 2d."))
    step = timedelta(seconds=int(match[2]) * UNITS[match[3]])
    return -step if match[1] else step


def _joined(argv: list[str]) -> list[str]:
    """`--advance -3h` written as `--advance=-3h`."""
    joined: list[str] = []
    for word in argv:
        if joined and joined[-1] == "--advance" and STEP.fullmatch(word):
            joined[-1] = f"--advance={word}"
        else:
            joined.append(word)
    return joined
