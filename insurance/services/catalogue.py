"""A list of the hospital's items enters: whole or not at all, in a constant number of statements.

The rows travel by COPY into a table of the transaction and are merged from there, so that a list of
200,000 items costs as many statements as one of two. The same list again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from core import clock
from core.actors import Actor
from core.audit import record
from core.errors import BadInput, Conflict, NotFound
from core.jobs import session_lock
from insurance.items_file import ItemRow, ItemsFile, items_read
from insurance.models import Institution, ItemImport

_STAGE = """
CREATE TEMPORARY TABLE item_rows (
    hospital_code text NOT NULL, name text NOT NULL, category text NOT NULL,
    national_code text NOT NULL, level text NOT NULL, price_limit numeric(16, 6),
    valid_from date NOT NULL, valid_until date, dated boolean NOT NULL
) ON COMMIT DROP
"""
_COPY = "COPY item_rows FROM STDIN"
_ITEMS = """
WITH named AS (SELECT DISTINCT hospital_code, name, category FROM item_rows),
merged AS (
    INSERT INTO insurance_catalogueitem AS item
        (institution_id, hospital_code, name, category, created_at)
    SELECT %(institution)s, hospital_code, name, category, %(now)s FROM named
    ON CONFLICT (institution_id, hospital_code) DO UPDATE
        SET name = excluded.name, category = excluded.category
        WHERE (item.name, item.category) IS DISTINCT FROM (excluded.name, excluded.category)
    RETURNING xmax = 0 AS added
)
SELECT count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added) FROM merged
"""
# A row without a day begins today, unless the very same already stands today.
_MAPPINGS = """
WITH wanted AS (
    SELECT item.id AS item_id, row.* FROM item_rows row
    JOIN insurance_catalogueitem item
      ON item.institution_id = %(institution)s AND item.hospital_code = row.hospital_code
    LEFT JOIN LATERAL (
        SELECT * FROM insurance_itemmapping span
        WHERE span.item_id = item.id AND span.valid_from <= %(today)s
        ORDER BY span.valid_from DESC LIMIT 1
    ) stands ON NOT row.dated
    WHERE row.national_code <> '' AND (
        row.dated OR stands.id IS NULL OR stands.valid_until <= %(today)s
        OR (stands.national_code, stands.level, stands.price_limit)
            IS DISTINCT FROM (row.national_code, row.level, row.price_limit)
        OR row.valid_until IS NOT NULL AND stands.valid_until IS DISTINCT FROM row.valid_until
    )
), merged AS (
    INSERT INTO insurance_itemmapping AS span
        (item_id, national_code, level, price_limit, valid_from, valid_until, created_at)
    SELECT item_id, national_code, level, price_limit, valid_from, valid_until, %(now)s FROM wanted
    ON CONFLICT (item_id, valid_from) DO UPDATE
        SET national_code = excluded.national_code, level = excluded.level,
            price_limit = excluded.price_limit,
            valid_until = coalesce(excluded.valid_until, span.valid_until)
        WHERE (span.national_code, span.level, span.price_limit,
               coalesce(excluded.valid_until, span.valid_until))
            IS DISTINCT FROM
              (excluded.national_code, excluded.level, excluded.price_limit, span.valid_until)
    RETURNING xmax = 0 AS added
)
SELECT count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added) FROM merged
"""
# A span ends where the next one of its item begins.
_ENDS = """
WITH following AS (
    SELECT span.id, lead(span.valid_from) OVER (
        PARTITION BY span.item_id ORDER BY span.valid_from) AS next_from
    FROM insurance_itemmapping span
    JOIN insurance_catalogueitem item ON item.id = span.item_id
    WHERE item.institution_id = %(institution)s
      AND item.hospital_code IN (SELECT hospital_code FROM item_rows)
)
UPDATE insurance_itemmapping span SET valid_until = following.next_from
FROM following
WHERE following.id = span.id AND following.next_from IS NOT NULL
  AND (span.valid_until IS NULL OR span.valid_until > following.next_from)
"""
_UNMAPPED = """
SELECT item.hospital_code, item.name FROM insurance_catalogueitem item
WHERE item.institution_id = %(institution)s AND NOT EXISTS (
    SELECT FROM insurance_itemmapping span
    WHERE span.item_id = item.id AND span.valid_from <= %(today)s
      AND (span.valid_until IS NULL OR span.valid_until > %(today)s)
)
ORDER BY item.hospital_code
"""


@dataclass(frozen=True, slots=True)
class ItemsReport:
    """What a list did or would do; `unmapped` are all items of the institution without a code."""

    rows: int
    items_added: int
    items_changed: int
    codes_added: int
    codes_changed: int
    unmapped: tuple[tuple[str, str], ...]

    @property
    def changed(self) -> bool:
        return bool(
            self.items_added or self.items_changed or self.codes_added or self.codes_changed
        )

    def as_json(self) -> dict[str, Any]:
        data = asdict(self)
        return data | {"unmapped": [list(one) for one in self.unmapped]}


def items_import(
    *, institution: Institution, content: bytes, by: Actor, dry_run: bool = False, address: str = ""
) -> ItemsReport:
    """Merge a list into the institution's items. Raises BadInput with every fault of the list,
    Conflict while another import of the institution runs."""
    read = items_read(content)
    if read.faults:
        raise BadInput("bad_items_file", faults_text(read), field="file")
    with _alone(institution), transaction.atomic():
        report = _merge(institution, read.rows)
        if dry_run:
            transaction.set_rollback(True)
        elif report.changed:
            record(
                by=by,
                action="items_imported",
                subject="insurance.institution",
                subject_id=institution.pk,
                detail={
                    "content_hash": hashlib.sha256(content).hexdigest(),
                    "rows": report.rows,
                    "items_added": report.items_added,
                    "items_changed": report.items_changed,
                    "codes_added": report.codes_added,
                    "codes_changed": report.codes_changed,
                },
                address=address,
            )
    return report


def items_upload(*, institution: Institution, name: str, content: bytes, by: Actor) -> ItemImport:
    """Keep an uploaded list with what it would do; nothing of the items changes yet."""
    report = items_import(institution=institution, content=content, by=by, dry_run=True)
    return ItemImport.objects.create(
        institution=institution,
        name=name[-200:],
        content=content,
        content_hash=hashlib.sha256(content).hexdigest(),
        preview=report.as_json(),
        uploaded_by=by.key,
        uploaded_by_name=by.name,
        created_at=clock.now(),
    )


def items_apply(*, import_id: int, by: Actor, address: str = "") -> ItemsReport:
    """Bring in an uploaded list; pressing twice does it once, for the second finds all done."""
    draft = ItemImport.objects.select_related("institution").filter(pk=import_id).first()
    if draft is None:
        raise NotFound("unknown_import", _("This list is not here any more; upload it again."))
    return items_import(
        institution=draft.institution, content=bytes(draft.content), by=by, address=address
    )


def faults_text(read: ItemsFile) -> str:
    """Every fault of a list, one a line."""
    return _("Nothing was imported.") + "\n" + "\n".join(read.faults)


@contextmanager
def _alone(institution: Institution) -> Iterator[None]:
    """One list of an institution at a time: two would see each other's items half."""
    with session_lock(f"items:{institution.pk}") as alone:
        if not alone:
            raise Conflict("import_running", _("Another list of this institution is coming in."))
        yield


def _merge(institution: Institution, rows: Sequence[ItemRow]) -> ItemsReport:
    today = clock.today()
    values: dict[str, int | date | datetime] = {
        "institution": institution.pk,
        "now": clock.now(),
        "today": today,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy(_COPY) as copy:
            for row in rows:
                copy.write_row((
                    row.hospital_code, row.name, row.category, row.national_code, row.level,
                    row.price_limit, row.valid_from or today, row.valid_until,
                    row.valid_from is not None,
                ))  # fmt: skip
        cursor.execute(_ITEMS, values)
        items_added, items_changed = cursor.fetchone()
        cursor.execute(_MAPPINGS, values)
        codes_added, codes_changed = cursor.fetchone()
        cursor.execute(_ENDS, values)
        cursor.execute(_UNMAPPED, values)
        unmapped = tuple((code, name) for code, name in cursor.fetchall())
        cursor.execute("DROP TABLE item_rows")
    return ItemsReport(len(rows), items_added, items_changed, codes_added, codes_changed, unmapped)
