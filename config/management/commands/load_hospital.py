"""`manage.py load_hospital FILE`: the hospital's places, systems, institutions and merchants."""

from __future__ import annotations

import getpass
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from config.hospital.entering import Entered, hospital_enter
from config.hospital.file import hospital_file_read
from core.actors import NAME_LENGTH_MAX, Actor, ActorKind
from core.commands import PortalCommand, Result
from core.declared import Change


class Command(PortalCommand):
    help = "Make or change what the hospital's file names; docs/deployment.md shows one."
    writes = True
    exclusive = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.json")

    def perform(self, **options: Any) -> Result:
        data = hospital_file_read(options["file"], environment=os.environ)
        dry_run = options["dry_run"]
        entered = hospital_enter(data, by=_operator(), dry_run=dry_run)
        found = {
            "changed": [asdict(change) for change in entered.changes],
            "tokens": entered.tokens,
            "dry_run": dry_run,
        }
        return Result(found, "\n".join(_lines(entered, dry_run, shown=not options["json"])))


def _operator() -> Actor:
    """Who sits at the machine, as the machine knows them."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = ""  # a container's user may have no name
    return Actor(ActorKind.SYSTEM, "load_hospital", name[:NAME_LENGTH_MAX])


def _lines(entered: Entered, dry_run: bool, *, shown: bool) -> list[str]:
    lines = [_line(change) for change in entered.changes] or ["nothing to change"]
    if dry_run:
        lines.insert(0, "dry run, nothing is written")
    for code, token in entered.tokens.items():
        if dry_run:
            lines.append(f"would make a token for {code}")
        elif shown:
            lines.append(f"token of {code}, shown this once: {token}")
    return lines


def _line(change: Change) -> str:
    facts = "; ".join(
        f"{name} {new}" if old in (None, "", []) else f"{name} {old} -> {new}"
        for name, (old, new) in change.fields.items()
    )
    return f"{'new' if change.made else 'changed'} {change.entity} {change.code}: {facts}"
