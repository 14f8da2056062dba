"""Keep the catalogue complete: collect what the source says, or say what is missing."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from config.catalogue import catalogue_compile, catalogue_faults, catalogue_update
from core.commands import ExitCode, PortalCommand, Result


class Command(PortalCommand):
    help = "Collect messages into the Chinese catalogue, or with --check say what is missing."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing")

    def perform(self, **options: Any) -> Result:
        if not options["check"]:
            catalogue_update()
        catalogue_compile()
        faults = catalogue_faults()
        text = "\n".join(faults) or "every message is translated"
        code = ExitCode.DIFFERENCES if faults else ExitCode.OK
        return Result({"faults": faults}, text, code)
