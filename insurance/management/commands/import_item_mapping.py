"""`manage.py import_item_mapping FILE`: the hospital's items and the codes the insurer knows.

All or nothing; the same file again changes nothing. Exit 3 while items are left without a code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from core.actors import SYSTEM
from core.commands import ExitCode, PortalCommand, Result
from core.errors import BadInput
from insurance.items_file import BYTES_MAX, COLUMNS
from insurance.models import Institution
from insurance.services.catalogue import ItemsReport, items_import

UNMAPPED_SHOWN = 20


class Command(PortalCommand):
    help = (
        "Import the items of an institution with their national codes from CSV (UTF-8 or GB18030). "
        f"Columns: {', '.join(COLUMNS)}, or their Chinese names."
    )
    writes = True

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--institution",
            default="",
            metavar="CODE",
            help="the institution's code at the insurer; needed where there are several",
        )

    def perform(self, **options: Any) -> Result:
        institution = _institution(options["institution"])
        report = items_import(
            institution=institution,
            content=_content(options["file"]),
            by=SYSTEM,
            dry_run=options["dry_run"],
        )
        left = ExitCode.DIFFERENCES if report.unmapped else ExitCode.OK
        data = {
            "institution": institution.campus.institution_code,
            "dry_run": options["dry_run"],
            **report.as_json(),
        }
        return Result(data, _told(report, dry_run=options["dry_run"]), left)


def _institution(code: str) -> Institution:
    rows = Institution.objects.select_related("campus").filter(active=True)
    found = list(rows.filter(campus__institution_code=code) if code else rows[:2])
    if len(found) == 1:
        return found[0]
    if code:
        raise BadInput("unknown_institution", f"no active institution has the code {code}")
    if found:
        raise BadInput("which_institution", "several institutions: name one with --institution")
    raise BadInput("no_institution", "no institution is set up")


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > BYTES_MAX:
            raise BadInput("bad_items_file", f"{file} is larger than 16 MB")
        return file.read_bytes()
    except OSError as error:
        raise BadInput("bad_items_file", f"cannot read {file}: {error.strerror}") from error


def _told(report: ItemsReport, *, dry_run: bool) -> str:
    done = "would change" if dry_run else "changed"
    items = f"items +{report.items_added} ~{report.items_changed}"
    codes = f"codes +{report.codes_added} ~{report.codes_changed}"
    lines = [f"{report.rows} rows {done}: {items}, {codes}"]
    if report.unmapped:
        lines.append(f"{len(report.unmapped)} items have no national code:")
        lines += [f"  {code}  {name}" for code, name in report.unmapped[:UNMAPPED_SHOWN]]
    if len(report.unmapped) > UNMAPPED_SHOWN:
        lines.append(f"  and {len(report.unmapped) - UNMAPPED_SHOWN} more (see --json)")
    return "\n".join(lines)
