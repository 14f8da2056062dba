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
from typing import Any, ClassVar, Protocol, cast

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction
from django.utils.translation import gettext_lazy as _
from psycopg.types.json import Jsonb

from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.json_values import dumps
from core.locking import NotLocked, is_locked
from core.prepared import insert_values, inserted
from core.statements import prepared_cursor
from core.step_statements import StepShape, step_statement_if_new, steps_statement

__all__ = [
    "IllegalTransition",
    "NotLocked",
    "Numbered",
    "StaleRow",
    "Stateful",
    "Step",
    "transition",
    "transition_all",
    "transition_if_new",
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
    shapes, moving = [], []
    traces: list[Any] = []
    for step in steps:
        shape, values, trace = _prepared(step, by, now)
        shapes.append(shape)
        moving += values
        traces = trace + traces  # read later in this order: what led to the first step before it
    counting = None if numbered is None else (numbered.counter, numbered.insert, numbered.beside)
    with prepared_cursor() as cursor:
        cursor.execute(
            steps_statement(tuple(shapes), counting),
            [*moving, *(() if numbered is None else numbered.values), *traces],
        )
        if cursor.rowcount != sum(len(step.rows) for step in steps):
            if cursor.rowcount:
                # Some have moved: whoever catches this must not be able to commit them.
                transaction.set_rollback(True)
            raise _stale()
        if numbered is not None:
            setattr(steps[0].rows[0], numbered.counter, cursor.fetchone()[0])
    for step in steps:
        _moved(step)


def transition_if_new(new: models.Model, step: Step, *, by: Actor) -> bool:
    """Insert a row and move a locked one for it; False, and neither, when one of the new row's
    unique numbers is taken. One statement."""
    _alone([step], None)
    shape, values, trace = _prepared(step, by, clock.now())
    with prepared_cursor() as cursor:
        cursor.execute(
            step_statement_if_new(type(new), shape), [*insert_values(new), *values, *trace]
        )
        key, moved = cursor.fetchone()
    if key is None:
        return False
    if moved != len(step.rows):
        transaction.set_rollback(True)  # the new row stands; nobody must be able to commit it
        raise _stale()
    inserted(new, key)
    _moved(step)
    return True


def _stale() -> StaleRow:
    return StaleRow("stale_row", _("This was changed by someone else in the meantime; look again."))


def _moved(step: Step) -> None:
    """The instances learn what the database has done."""
    for row in step.rows:
        row.__dict__["status"] = str(step.to)
        for name, value in step.fields.items():
            setattr(row, name, value)


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


def _prepared(step: Step, by: Actor, now: datetime) -> tuple[StepShape, list[Any], list[Any]]:
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
        StepShape(type(first), columns, single),
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
