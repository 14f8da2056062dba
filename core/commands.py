"""The contract of every management command, in one place.

`--json` prints one object on stdout; text for people goes to stderr, so both can be had at once.
Exit codes are `ExitCode`. A command that writes offers `--dry-run`. A command is safe to run twice;
one that must not run twice *at once* sets `exclusive`, and the second run ends with LOCKED.
People's text is English, as the options and their help are: it is for who runs the machine, and is
searched for and quoted. What a command makes patients read stays in the house's language.
"""

from __future__ import annotations

import json
import sys
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import override
from rich.console import Console
from rich.progress import track

from core.errors import BadInput, Refusal
from core.jobs import session_lock
from core.results import ExitCode, Result

# Also what a command of ours ends with.
__all__ = ["SPOKEN", "ExitCode", "PortalCommand", "Result"]

T = TypeVar("T")
SPOKEN = "en"


class PortalCommand(BaseCommand):
    """Subclasses implement `perform()` and, for their own options, `add_options()`."""

    writes = False
    exclusive = False
    # Whether the work itself writes words for patients or for the pages: only refusals are English.
    drives = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object on stdout")
        if self.writes:
            parser.add_argument("--dry-run", action="store_true", help="show, but change nothing")
        self.add_options(parser)

    def add_options(self, parser: CommandParser) -> None:
        """Options of this command alone."""

    @abstractmethod
    def perform(self, **options: Any) -> Result:
        """Do the work; raise a `Refusal` for what is not allowed."""

    def handle(self, *args: Any, **options: Any) -> None:
        result = self._performed(options)
        if options["json"]:
            text = json.dumps(result.data, cls=DjangoJSONEncoder, ensure_ascii=False)
            self.stdout.write(text)
        if result.text:
            self.say(result.text)
        if result.exit_code is not ExitCode.OK:
            sys.exit(int(result.exit_code))

    def say(self, text: str) -> None:
        """A line for people."""
        self.stderr.write(text, self.style.NOTICE if self.stderr.isatty() else None)

    def progress(self, items: Iterable[T], *, total: int | None, label: str) -> Iterable[T]:
        """The items, with a bar while a person watches."""
        console = Console(file=sys.stderr)
        return track(
            items, description=label, total=total, console=console, disable=not console.is_terminal
        )

    def _performed(self, options: dict[str, Any]) -> Result:
        name = type(self).__module__.rpartition(".")[2]
        try:
            with override(settings.LANGUAGE_CODE if self.drives else SPOKEN):
                if not self.exclusive:
                    return self.perform(**options)
                with session_lock(f"command:{name}") as alone:
                    if alone:
                        return self.perform(**options)
        except Refusal as refusal:
            with override(SPOKEN):
                message = str(refusal.message)
            data = {"error": {"code": refusal.code, "message": message}}
            bad_input = isinstance(refusal, BadInput)
            return Result(data, message, ExitCode.USAGE if bad_input else ExitCode.REFUSED)
        message = f"another run of {name} holds the lock"
        return Result({"error": {"code": "locked", "message": message}}, message, ExitCode.LOCKED)
