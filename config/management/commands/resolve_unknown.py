"""`manage.py resolve_unknown`: look at every open transaction now, whenever it is due."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils.translation import gettext_lazy as _

from billing.models import PaymentTransaction
from billing.services.failures import transaction_kept
from billing.services.sweeps import transaction_resume
from core.commands import ExitCode, PortalCommand, Result
from core.errors import BadInput


class Command(PortalCommand):
    help = "Query or close every payment transaction that is not final."
    writes = True
    drives = True
    exclusive = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--number", help="only the transaction of this number")

    def perform(self, **options: Any) -> Result:
        rows = PaymentTransaction.objects.filter(status__in=PaymentTransaction.IN_FLIGHT)
        if options["number"] is not None:
            rows = rows.filter(number=options["number"])
        found = list(rows.order_by("pk").values_list("pk", "number"))
        if options["number"] is not None and not found:
            raise BadInput("unknown_number", _("No open transaction has this number."), "number")
        if not options["dry_run"]:
            for pk, _number in self.progress(found, total=len(found), label="resolving"):
                with transaction_kept(transaction_id=pk):
                    transaction_resume(transaction_id=pk)
        still = rows.count()
        data = {
            "looked_at": 0 if options["dry_run"] else len(found),
            "still_open": still,
            "numbers": [number for _pk, number in found],
            "dry_run": options["dry_run"],
        }
        if options["dry_run"]:
            return Result(data, _would_look(found))
        text = f"{len(found)} looked at, {still} still open"
        return Result(data, text, ExitCode.TRY_LATER if still else ExitCode.OK)


def _would_look(found: list[tuple[int, str]]) -> str:
    numbers = ", ".join(number for _pk, number in found) or "none, nothing is open"
    return f"dry run, would look at {len(found)}: {numbers}"
