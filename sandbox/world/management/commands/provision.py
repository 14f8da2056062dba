"""`provision --dir DIR`: make what the demo needs and write what the portal must know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sandbox.world.registry import PROVISIONS


class Command(BaseCommand):
    help = "Create the demo's merchants, keys and plans once and write DIR/<counterparty>.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dir", type=Path, required=True)
        parser.add_argument("--json", action="store_true", help="print the files' paths as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["dir"]
        files = {name: folder / f"{name}.json" for name in PROVISIONS}
        for name, credentials in PROVISIONS.items():
            known = credentials()
            try:
                folder.mkdir(parents=True, exist_ok=True)
                _write(files[name], known)
            except OSError as error:
                raise CommandError(f"{files[name]} cannot be written: {error}") from error
            self.stderr.write(f"wrote {files[name]}")
        if options["json"]:
            self.stdout.write(json.dumps({name: str(file) for name, file in files.items()}))


def _write(file: Path, known: dict[str, Any]) -> None:
    """Private keys are in it: readable by the owner only, and never half written."""
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n")
    fresh.replace(file)
