"""`provision --dir DIR`: make what the demo needs and write what the portal must know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sandbox.wechat_pay.provision import credentials


class Command(BaseCommand):
    help = "Create the demo's merchants, keys and plans once and write DIR/wechat_pay.json."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dir", type=Path, required=True)
        parser.add_argument("--json", action="store_true", help="print the file's path as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["dir"] / "wechat_pay.json"
        known = credentials()
        try:
            options["dir"].mkdir(parents=True, exist_ok=True)
            # Private keys are in it: readable by the owner only, and never half written.
            fresh = file.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(json.dumps(known, ensure_ascii=False, indent=1) + "\n")
            fresh.replace(file)
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error}") from error
        if options["json"]:
            mchids = [merchant["mchid"] for merchant in known["merchants"]]
            self.stdout.write(json.dumps({"file": str(file), "mchids": mchids}))
        self.stderr.write(f"wrote {file}")
