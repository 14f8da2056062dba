"""The one way a status changes.

`transition()` moves one locked row along its model's literal TRANSITIONS table and writes the
StateChange in the same statement: a step without its trace, or a trace without its step, cannot be
committed. Nothing else in the house assigns a status.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, Protocol, cast

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.utils.translation import gettext_lazy as _
from psycopg import sql
from psycopg.types.json import Jsonb

from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.json_values import dumps
from core.locking import NotLocked, is_locked
from core.statements import prepared_cursor

__all__ = [
    "IllegalTransition",
    "NotLocked",
    "StaleRow",
    "Stateful",
    "transition",
    "transition_all",
]

REASON_LENGTH_MAX = 500


class Stateful(Protocol):
    """A model with a status and its table; a status that is absent or empty there is final."""

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]]
    status: str


class IllegalTransition(Conflict):
    """The table beside the model has no such step."""


class StaleRow(Conflict):
    """The row in the database is no longer in the state the instance says."""


def transition(row: models.Model, to: str, *, by: Actor, reason: str = "", **fields: Any) -> None:
    """Move a locked row to `to`, writing `fields` with it. One statement.

    The instance is changed only after the database has said yes.
    """
    transition_all([row], to, by=by, reason=reason, **fields)


def transition_all(
    rows: Sequence[models.Model], to: str, *, by: Actor, reason: str = "", **fields: Any
) -> None:
    """Move locked rows of one model and one status together; all of them or none.

    One statement however many they are, each row with its own trace.
    """
    if not rows:
        return
    to, first = str(to), rows[0]
    before = cast(Stateful, first).status
    for row in rows:
        _allow(row, type(first), before, to)
    if len(reason) > REASON_LENGTH_MAX:
        reason = reason[: REASON_LENGTH_MAX - 1] + "…"
    columns, values, trace = _adapted(first, fields)
    single = len(rows) == 1
    parameters: list[Any] = [
        to,
        *values,
        # As text, so that one prepared statement serves ids of any size.
        str(first.pk) if single else "{" + ",".join(str(row.pk) for row in rows) + "}",
        before,
        *(first._meta.label_lower, before, to, by.key, by.name, reason),
        Jsonb(trace, dumps=dumps),
        clock.now(),
    ]
    with prepared_cursor() as cursor:
        cursor.execute(_statement(type(first), columns, single), parameters)
        if cursor.rowcount != len(rows):
            if cursor.rowcount:
                # Some have moved: whoever catches this must not be able to commit them.
                transaction.set_rollback(True)
            raise StaleRow(
                "stale_row", _("This was changed by someone else in the meantime; look again.")
            )
    for row in rows:
        row.__dict__["status"] = to
        for name, value in fields.items():
            setattr(row, name, value)


def _allow(row: models.Model, model: type[models.Model], before: str, to: str) -> None:
    """Refuse a row that is not locked, not like the others, or that has no such step."""
    if not is_locked(row):
        raise NotLocked(f"{row._meta.label} {row.pk} is not locked in this transaction")
    if type(row) is not model or cast(Stateful, row).status != before:
        raise TypeError("rows that move together are of one model and one status")
    if to not in cast(Stateful, row).TRANSITIONS.get(before, frozenset()):
        raise IllegalTransition(
            "illegal_transition",
            _("%(name)s cannot go from %(before)s to %(to)s.")
            % {"name": row._meta.verbose_name, "before": before, "to": to},
        )


def _adapted(
    row: models.Model, fields: dict[str, Any]
) -> tuple[tuple[str, ...], list[Any], dict[str, Any]]:
    """The columns, their database values, and what the trace says of them."""
    columns, values, trace = [], [], {}
    own = connections[DEFAULT_DB_ALIAS]
    for name, given in fields.items():
        field = row._meta.get_field(name)
        if not isinstance(field, models.Field) or field.column is None or field.primary_key:
            raise TypeError(f"{row._meta.label}.{name} is no column that a transition may write")
        if field.name == "status" or hasattr(given, "resolve_expression"):
            raise TypeError(f"{row._meta.label}.{name}: a transition writes plain values")
        value = given.pk if isinstance(given, models.Model) else given
        columns.append(field.column)
        values.append(field.get_db_prep_save(value, own))
        # What is encrypted in its column must not lie open in the trace.
        encrypted = getattr(field, "is_encrypted", False)
        trace[name] = "***" if encrypted else _traced(type(row), value)
    return tuple(columns), values, trace


def _traced(model: type[models.Model], value: Any) -> Any:
    """A JSON value without the keys that the model names as never traced."""
    untraced: frozenset[str] = getattr(model, "UNTRACED", frozenset())
    if not untraced or not isinstance(value, dict):
        return value
    return {key: inner for key, inner in value.items() if key not in untraced}


@lru_cache(maxsize=512)
def _statement(model: type[models.Model], columns: tuple[str, ...], single: bool) -> str:
    """The statement for one model and set of columns; its constant text is prepared once.

    One row is found by `=`: PostgreSQL would plan a list anew each time, not knowing its length.
    """
    meta = model._meta
    status = cast("models.Field[Any, Any]", meta.get_field("status")).column
    assert status is not None and meta.pk.column is not None
    template = sql.SQL(
        "WITH moved AS (UPDATE {table} SET {changes} WHERE {pk} = {which} AND {status} = %s"
        " RETURNING {pk} AS id)"
        " INSERT INTO core_statechange (entity, entity_id, from_status, to_status, actor,"
        " actor_name, reason, fields, created_at)"
        " SELECT %s, moved.id, %s, %s, %s, %s, %s, %s, %s FROM moved"
    )
    changes = sql.SQL(", ").join(
        sql.SQL("{} = %s").format(sql.Identifier(column)) for column in (status, *columns)
    )
    return template.format(
        table=sql.Identifier(meta.db_table),
        changes=changes,
        pk=sql.Identifier(meta.pk.column),
        which=sql.SQL("%s" if single else "ANY(%s)"),
        status=sql.Identifier(status),
    ).as_string()
