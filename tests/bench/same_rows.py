"""That a floor leaves the rows which the services leave: no fewer, no other values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(\+\d\d:\d\d)")


@dataclass(frozen=True)
class Likeness:
    """What must differ between two pieces of the same work, as patterns.

    `numbers`: business numbers, of which the first group stays; `ids` and `hidden`: names of
    columns with ids of rows, and with texts that are another each time.
    """

    numbers: str
    ids: str
    hidden: str = "-"

    def plain(self, text: str, key: int) -> str:
        """A row's text without what must differ; `key` is the number of the piece of work."""
        # The floor's numbers hold the key: they go first, while they still have their length.
        text = re.sub(self.numbers, r"\1", text).replace(str(key), "KEY")
        text = TIME.sub("TIME", text)
        text = re.sub(rf'"({self.hidden})": "[^"]*"', r'"\1": ""', text)
        return re.sub(rf'"({self.ids})": \d+', r'"\1": 0', text)


def rows_compare(
    ours: Callable[[], object],
    floor: Callable[[], object],
    keys: tuple[int, int],
    wanted: set[str],
    likeness: Likeness,
) -> None:
    """Do the same work both ways and compare every row that was inserted or changed."""
    mark = _snapshot()
    ours()
    real, mark = _written(mark, keys[0], likeness), _snapshot()
    floor()
    left = _written(mark, keys[1], likeness)
    if wanted - set(real):
        raise RuntimeError(f"the services no longer write {wanted - set(real)}")
    if real != left:
        odd = [
            (table, real.get(table), left.get(table))
            for table in sorted({*real, *left})
            if real.get(table) != left.get(table)
        ]
        raise RuntimeError(f"the floor does not leave the rows of the services: {odd}")


def _snapshot() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        return int(cursor.fetchone()[0])


def _written(since: int, key: int, likeness: Likeness) -> dict[str, list[str]]:
    """Every row inserted or changed since, by table."""
    rows = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f"SELECT to_jsonb(r)::text FROM {table} r WHERE xmin::text::bigint > %s", [since]
            )
            if found := sorted(likeness.plain(text, key) for (text,) in cursor.fetchall()):
                rows[table] = found
    return rows
