"""`manage.py compare_books`: our ledger against every counterparty's own books."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.utils.translation import gettext as _

from config.books import books_wait
from config.demo.sandbox_client import SandboxError
from core.commands import ExitCode, PortalCommand, Result
from core.errors import BadInput, NotOffered
from core.money import format_yuan


class Command(PortalCommand):
    help = "Compare the ledger with the counterparties' books (outside production only)."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--wait", type=int, default=0, help="seconds to wait until nothing is open"
        )

    def perform(self, **options: Any) -> Result:
        if settings.PRODUCTION:
            raise NotOffered("no_sandbox", _("There is no sandbox here to compare with."))
        if options["wait"] < 0:
            raise BadInput("bad_wait", _("Give --wait a number of seconds, 0 or more."), "wait")
        try:
            found = books_wait(options["wait"])
        except SandboxError as error:
            return Result({"error": str(error)}, str(error), ExitCode.TRY_LATER)
        data = {
            "compared": found.compared,
            "differences": [asdict(difference) for difference in found.differences],
            "open": found.open,
        }
        if found.open:
            return Result(data, _still_open(found.open), ExitCode.TRY_LATER)
        if found.differences:
            return Result(data, _lines(data["differences"]), ExitCode.DIFFERENCES)
        return Result(data, _agreed(found.compared))


def _agreed(compared: dict[str, dict[str, int]]) -> str:
    """One line for each counterparty, and the sum of what the channels hold for us."""
    lines = [
        f"{where}: " + ", ".join(f"{what} {format_yuan(fen)}" for what, fen in sums.items())
        for where, sums in compared.items()
    ]
    held = sum(sums.get("captured", 0) - sums.get("refunded", 0) for sums in compared.values())
    return "\n".join([*lines, f"the books agree: {format_yuan(held)} in clearing"])


def _still_open(rows: list[dict[str, Any]]) -> str:
    """What is open in words first, then which it is."""
    return "\n".join(f"{row['meaning']} ({', '.join(_facts(row))})" for row in rows)


def _facts(row: dict[str, Any]) -> Iterator[str]:
    for key, value in row.items():
        if key == "amount_fen":
            yield format_yuan(value)
        elif key != "meaning":
            yield f"{key} {value}"


def _lines(rows: Any) -> str:
    return "\n".join(", ".join(f"{key} {value}" for key, value in row.items()) for row in rows)
