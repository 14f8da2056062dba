"""Indexes at rest while a town is built: made afterwards, each by one sort instead of a million
insertions. Primary keys stay, since rows of bills are read by them meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db import connection

_FOUND = """
SELECT t.oid::regclass::text, i.indexrelid::regclass::text, c.conname,
  coalesce(pg_get_constraintdef(c.oid), pg_get_indexdef(i.indexrelid))
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype = 'u'
WHERE t.relname = ANY(%s) AND NOT i.indisprimary ORDER BY 1, 2
"""


def indexes_drop(tables: Iterable[str]) -> dict[str, list[str]]:
    """Drop them; returns the statements that make them again, table by table."""
    again: dict[str, list[str]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, [list(tables)])
        for table, index, constraint, definition in cursor.fetchall():
            if constraint is None:
                cursor.execute(f"DROP INDEX {index}")
                again[table].append(definition)
            else:
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{constraint}"')
                again[table].append(
                    f'ALTER TABLE {table} ADD CONSTRAINT "{constraint}" {definition}'
                )
    return dict(again)


def indexes_make(statements: list[str]) -> None:
    """The indexes of one table, one after the other: a constraint waits for nobody else's index."""
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        for statement in statements:
            cursor.execute(statement)
