"""The one way a status changes.

`transition()` moves one locked row along its model's literal TRANSITIONS table and writes the
StateChange in the same statement: a step without its trace, or a trace without its step, cannot be
committed. Nothing else in the house assigns a status. Rows of several models that move for one
reason move in one statement too (`transition_together`): all of them or none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, Protocol, cast

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
    "Numbered",
    "StaleRow",
    "Stateful",
    "Step",
    "transition",
    "transition_all",
    "transition_together",
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


@dataclass(frozen=True, slots=True)
class Step:
    """Locked rows of one model and one status that go to `to`, writing `fields` with it."""

    rows: Sequence[models.Model]
    to: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row written with a step, under the next number of the row that moves.

    `insert` is an INSERT … SELECT … FROM moved: there stand the row's `id`, its raised `counter`
    and the columns `beside`. Its open values are `values`.
    """

    counter: str
    insert: str
    values: Sequence[Any]
    beside: tuple[str, ...] = ()


def transition(row: models.Model, to: str, *, by: Actor, reason: str = "", **fields: Any) -> None:
    """Move a locked row to `to`, writing `fields` with it. One statement.

    The instance is changed only after the database has said yes.
    """
    transition_together(Step([row], to, fields, reason), by=by)


def transition_all(
    rows: Sequence[models.Model], to: str, *, by: Actor, reason: str = "", **fields: Any
) -> None:
    """Move locked rows of one model and one status together; all of them or none.

    One statement however many they are, each row with its own trace.
    """
    if rows:
        transition_together(Step(rows, to, fields, reason), by=by)


def transition_together(*steps: Step, by: Actor, numbered: Numbered | None = None) -> None:
    """Move locked rows of any models, each step its own way; all of them or none. One statement.

    `numbered` counts on the one row of the first step; the instance learns its new number.
    """
    _alone(steps, numbered)
    now = clock.now()
    shapes, moving, traces = [], [], []
    for step in steps:
        shape, values, trace = _prepared(step, by, now)
        shapes.append(shape)
        moving += values
        traces += trace
    counting = None if numbered is None else (numbered.counter, numbered.insert, numbered.beside)
    with prepared_cursor() as cursor:
        cursor.execute(
            _statement(tuple(shapes), counting),
            [*moving, *(() if numbered is None else numbered.values), *traces],
        )
        if cursor.rowcount != sum(len(step.rows) for step in steps):
            if cursor.rowcount:
                # Some have moved: whoever catches this must not be able to commit them.
                transaction.set_rollback(True)
            raise StaleRow(
                "stale_row", _("This was changed by someone else in the meantime; look again.")
            )
        if numbered is not None:
            setattr(steps[0].rows[0], numbered.counter, cursor.fetchone()[0])
    for step in steps:
        for row in step.rows:
            row.__dict__["status"] = str(step.to)
            for name, value in step.fields.items():
                setattr(row, name, value)


class _Shape(NamedTuple):
    """What the text of a step depends on."""

    model: type[models.Model]
    columns: tuple[str, ...]
    single: bool


def _alone(steps: Sequence[Step], numbered: Numbered | None) -> None:
    """Refuse a row that stands in two steps: the database would move it once, in either way."""
    if not all(step.rows for step in steps):
        raise TypeError("a step moves no row")
    if numbered is not None and len(steps[0].rows) != 1:
        raise TypeError("a number is counted on one row")
    if len(steps) > 1:
        rows = [(type(row), row.pk) for step in steps for row in step.rows]
        if len(set(rows)) != len(rows):
            raise TypeError("a row moves once in a statement")


def _prepared(step: Step, by: Actor, now: datetime) -> tuple[_Shape, list[Any], list[Any]]:
    """The shape of a step, the values of its UPDATE, and those of its trace."""
    to, rows, reason = str(step.to), step.rows, step.reason
    first = rows[0]
    before = cast(Stateful, first).status
    for row in rows:
        _allow(row, type(first), before, to)
    if len(reason) > REASON_LENGTH_MAX:
        reason = reason[: REASON_LENGTH_MAX - 1] + "…"
    columns, values, trace = _adapted(first, step.fields)
    single = len(rows) == 1
    # As text, so that one prepared statement serves ids of any size.
    which = str(first.pk) if single else "{" + ",".join(str(row.pk) for row in rows) + "}"
    label = first._meta.label_lower
    return (
        _Shape(type(first), columns, single),
        [to, *values, which, before],
        [label, before, to, by.key, by.name, reason, Jsonb(trace, dumps=dumps), now],
    )


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
    row: models.Model, fields: Mapping[str, Any]
) -> tuple[tuple[str, ...], list[Any], dict[str, Any]]:
    """The columns, their database values, and what the trace says of them."""
    columns, values, trace = [], [], {}
    own = connections[DEFAULT_DB_ALIAS]
    for name, given in fields.items():
        column = row._meta.get_field(name)
        if not isinstance(column, models.Field) or column.column is None or column.primary_key:
            raise TypeError(f"{row._meta.label}.{name} is no column that a transition may write")
        if column.name == "status" or hasattr(given, "resolve_expression"):
            raise TypeError(f"{row._meta.label}.{name}: a transition writes plain values")
        value = given.pk if isinstance(given, models.Model) else given
        columns.append(column.column)
        values.append(column.get_db_prep_save(value, own))
        # What is encrypted in its column must not lie open in the trace.
        encrypted = getattr(column, "is_encrypted", False)
        trace[name] = "***" if encrypted else _traced(type(row), value)
    return tuple(columns), values, trace


def _traced(model: type[models.Model], value: Any) -> Any:
    """A JSON value without the keys that the model names as never traced."""
    untraced: frozenset[str] = getattr(model, "UNTRACED", frozenset())
    if not untraced or not isinstance(value, dict):
        return value
    return {key: inner for key, inner in value.items() if key not in untraced}


@lru_cache(maxsize=512)
def _statement(
    shapes: tuple[_Shape, ...], counting: tuple[str, str, tuple[str, ...]] | None
) -> str:
    """The statement for steps of these shapes; its constant text is prepared once."""
    names = ["moved", *(f"moved{place}" for place in range(1, len(shapes)))]
    counter, insert, beside = counting or ("", "", ())
    parts = [
        sql.SQL("{} AS ({})").format(
            sql.Identifier(name),
            _update(shape, *((counter, beside) if name == "moved" else ("", ()))),
        )
        for name, shape in zip(names, shapes, strict=True)
    ]
    if insert:
        parts.append(sql.SQL("numbered AS ({})").format(sql.SQL(insert)))
    traces = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT %s, {name}.id, %s, %s, %s, %s, %s, %s, %s FROM {name}").format(
            name=sql.Identifier(name)
        )
        for name in names
    )
    number = sql.SQL(" RETURNING (SELECT {} FROM moved)").format(sql.Identifier(counter))
    text = sql.SQL(
        "WITH {} INSERT INTO core_statechange (entity, entity_id, from_status, to_status,"
        " actor, actor_name, reason, fields, created_at) {}{}"
    ).format(sql.SQL(", ").join(parts), traces, number if counter else sql.SQL(""))
    return text.as_string()


def _update(shape: _Shape, counter: str, beside: tuple[str, ...]) -> sql.Composed:
    """The UPDATE of one step.

    One row is found by `=`: PostgreSQL would plan a list anew each time, not knowing its length.
    """
    meta = shape.model._meta
    status = cast("models.Field[Any, Any]", meta.get_field("status")).column
    assert status is not None and meta.pk.column is not None
    changes = [
        sql.SQL("{} = %s").format(sql.Identifier(column)) for column in (status, *shape.columns)
    ]
    if counter:
        changes.append(sql.SQL("{0} = {0} + 1").format(sql.Identifier(counter)))
    read = [sql.Identifier(column) for column in (*beside, counter) if column]
    return sql.SQL("UPDATE {} SET {} WHERE {} = {} AND {} = %s RETURNING {}").format(
        sql.Identifier(meta.db_table),
        sql.SQL(", ").join(changes),
        sql.Identifier(meta.pk.column),
        sql.SQL("%s" if shape.single else "ANY(%s)"),
        sql.Identifier(status),
        sql.SQL(", ").join([sql.SQL("{} AS id").format(sql.Identifier(meta.pk.column)), *read]),
    )
