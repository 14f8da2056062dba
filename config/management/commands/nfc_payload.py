"""`manage.py nfc_payload`: what the NFC tags of the hospital's places hold.

A `.ndef` file is the record for a writing app, a `.bin` file the memory of a blank Type 2 tag from
page 4 on, and `tags.csv` the list for a maker of tags.
"""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core.commands import PortalCommand, Result
from core.errors import BadInput
from patients.locations import tag_address
from patients.models import Location
from patients.ndef import tag_memory, uri_record


@dataclass(frozen=True, slots=True)
class Tag:
    code: str
    name: str
    address: str
    ndef_hex: str


class Command(PortalCommand):
    help = "Show or write the NDEF record of every tag in use, or of the places named."
    writes = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--location", action="append", default=[], metavar="CODE")
        parser.add_argument("--out", type=Path, metavar="DIR", help="write one set of files there")

    def perform(self, **options: Any) -> Result:
        tags = [_tag(one) for one in _locations(options["location"])]
        folder: Path | None = options["out"]
        data = {"tags": [asdict(tag) for tag in tags]}
        lines = [f"{tag.code}  {tag.address}  {tag.ndef_hex}" for tag in tags]
        if folder is not None and not options["dry_run"]:
            lines.append(f"{_write(folder, tags)} files in {folder}")
        elif folder is not None:
            lines.append(f"would write {2 * len(tags) + 1} files to {folder}")
        return Result(data, "\n".join(lines) or "no location is in use")


def _locations(codes: list[str]) -> list[Location]:
    rows = Location.objects.filter(active=True).order_by("code")
    if not codes:
        return list(rows)
    found = list(rows.filter(code__in=codes))
    missing = sorted(set(codes) - {one.code for one in found})
    if missing:
        raise BadInput("unknown_location", f"no location in use has the code {missing[0]}")
    return found


def _tag(location: Location) -> Tag:
    address = tag_address(location)
    try:
        record = uri_record(address)
    except ValueError as error:
        raise BadInput("bad_address", f"PORTAL_URL: {error}") from error
    return Tag(location.code, location.name, address, record.hex())


def _inert(text: str) -> str:
    """A name that a spreadsheet would take for a formula is shown as text."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


def _write(folder: Path, tags: list[Tag]) -> int:
    """Each file appears whole or not at all."""
    listed = StringIO()
    rows = csv.writer(listed, lineterminator="\n")
    rows.writerow(["code", "name", "address", "ndef_hex"])
    rows.writerows([tag.code, _inert(tag.name), tag.address, tag.ndef_hex] for tag in tags)
    files = {"tags.csv": listed.getvalue().encode("utf-8-sig")}
    for tag in tags:
        record = bytes.fromhex(tag.ndef_hex)
        files |= {f"{tag.code}.ndef": record, f"{tag.code}.bin": tag_memory(record)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            draft = folder / f"{name}.new"
            draft.write_bytes(content)
            draft.replace(folder / name)
    except OSError as error:
        raise BadInput("bad_folder", f"cannot write to {folder}: {error.strerror}") from error
    return len(files)
