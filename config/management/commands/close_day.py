"""`manage.py close_day`: close business days that are over (日结), oldest first."""

from __future__ import annotations

from argparse import ArgumentTypeError
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from billing.ledger.closing import day_close, days_due
from billing.ledger.entries import DayClosing
from core.commands import ExitCode, PortalCommand, Result
from core.money import format_yuan


class Command(PortalCommand):
    help = "Close a business day: it gets no posting any more. Without a date, all that are over."
    writes = True
    exclusive = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--date", type=_date, help="the day to close, YYYY-MM-DD")

    def perform(self, **options: Any) -> Result:
        days = [options["date"]] if options["date"] else days_due()
        if options["dry_run"]:
            text = "\n".join(f"would close {day}" for day in days) or "no day is due"
            return Result({"would_close": days}, text)
        closings: list[DayClosing] = []
        try:
            for day in self.progress(days, total=len(days), label="close_day"):
                closings.append(day_close(day))
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            message = "a posting transaction is still running; nothing was closed after it"
            return Result(_data(closings), message, ExitCode.TRY_LATER)
        return Result(_data(closings), _text(closings))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a date like 2026-11-20") from error


def _data(closings: list[DayClosing]) -> dict[str, Any]:
    return {"closed": [asdict(closing) for closing in closings]}


def _text(closings: list[DayClosing]) -> str:
    lines = [
        f"{closing.day}: {closing.entry_count} entries, {format_yuan(closing.debit_fen)}"
        + (" (was closed before)" if closing.replayed else "")
        for closing in closings
    ]
    return "\n".join(lines) or "no day is due"
