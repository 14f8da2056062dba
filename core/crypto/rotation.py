"""Re-encrypting old rows under the active key and algorithm, in bounded steps.

No row is locked: a step replaces a stored text only where it is still the one that was read, so a
row that was saved in between, already under the new key, is left alone. A step may be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection, models
from psycopg import sql

from core.crypto.blind_index import BlindIndexField
from core.crypto.ciphers import decrypt, encrypt, stored_prefix
from core.crypto.fields import EncryptedField


@dataclass(frozen=True, slots=True)
class RotationStep:
    """`last_id` is where the next step starts; None when the table is done."""

    last_id: int | None
    seen: int
    changed: int


def encrypted_fields(model: type[models.Model]) -> list[EncryptedField]:
    """The columns of a model that hold ciphertext."""
    return [field for field in model._meta.concrete_fields if isinstance(field, EncryptedField)]


def rotate(
    model: type[models.Model], field: EncryptedField, *, after_id: int = 0, limit: int = 500
) -> RotationStep:
    """One step over one column: the next `limit` rows that are not under the active key."""
    rows = _outdated(model, field, after_id, limit)
    if not rows:
        return RotationStep(None, 0, 0)
    context, column = field.context, _column(field)
    plain = [decrypt(stored, context=context) for _pk, stored in rows]
    columns: dict[str, list[str | None]] = {
        column: [encrypt(text, context=context) for text in plain]
    }
    for index in _indexes_of(model, field):
        columns[_column(index)] = [index.index_of(text) for text in plain]
    changed = _replace(model, column, rows, columns)
    last_id = rows[-1][0] if len(rows) == limit else None
    return RotationStep(last_id, len(rows), changed)


def _indexes_of(model: type[models.Model], field: EncryptedField) -> list[BlindIndexField]:
    return [
        index
        for index in model._meta.concrete_fields
        if isinstance(index, BlindIndexField) and index.source == field.name
    ]


def _outdated(
    model: type[models.Model], field: EncryptedField, after_id: int, limit: int
) -> list[tuple[int, str]]:
    statement = sql.SQL(
        "SELECT {pk}, {column} FROM {table} WHERE {pk} > %s AND {column} <> ''"
        " AND NOT starts_with({column}, %s) ORDER BY {pk} LIMIT %s"
    ).format(**_names(model, _column(field)))
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(), [after_id, stored_prefix(), limit])
        return [(pk, stored) for pk, stored in cursor.fetchall()]


def _replace(
    model: type[models.Model],
    column: str,
    rows: list[tuple[int, str]],
    columns: dict[str, list[str | None]],
) -> int:
    changes = sql.SQL(", ").join(
        sql.SQL("{} = fresh.v{}").format(sql.Identifier(name), sql.SQL(str(number)))
        for number, name in enumerate(columns)
    )
    values = sql.SQL(", ").join(sql.SQL("v{}").format(sql.SQL(str(n))) for n in range(len(columns)))
    arrays = sql.SQL(", ").join(sql.SQL("%s::text[]") for _column in columns)
    statement = sql.SQL(
        "UPDATE {table} AS kept SET {changes}"
        " FROM unnest(%s::bigint[], %s::text[], {arrays}) AS fresh(id, old, {values})"
        " WHERE kept.{pk} = fresh.id AND kept.{column} = fresh.old"
    ).format(changes=changes, arrays=arrays, values=values, **_names(model, column))
    ids, olds = [pk for pk, _stored in rows], [stored for _pk, stored in rows]
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(), [ids, olds, *columns.values()])
        return int(cursor.rowcount)


def _column(field: models.Field[Any, Any]) -> str:
    assert field.column is not None
    return field.column


def _names(model: type[models.Model], column: str) -> dict[str, sql.Identifier]:
    assert model._meta.pk.column is not None
    return {
        "table": sql.Identifier(model._meta.db_table),
        "pk": sql.Identifier(model._meta.pk.column),
        "column": sql.Identifier(column),
    }
