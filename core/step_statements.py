"""The texts of the statements that move rows: made once for what they depend on, prepared once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast

from django.db import models
from psycopg import sql

from core.prepared import insert_text


class StepShape(NamedTuple):
    """What the text of a step depends on."""

    model: type[models.Model]
    columns: tuple[str, ...]
    single: bool


@lru_cache(maxsize=512)
def steps_statement(
    shapes: tuple[StepShape, ...], counting: tuple[str, str, tuple[str, ...]] | None
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
    number = sql.SQL(" RETURNING (SELECT {} FROM moved)").format(sql.Identifier(counter))
    text = sql.SQL("WITH {} {}{}").format(
        sql.SQL(", ").join(parts), _traces(names[::-1]), number if counter else sql.SQL("")
    )
    return text.as_string()


@lru_cache(maxsize=64)
def step_statement_if_new(new: type[models.Model], shape: StepShape) -> str:
    text = sql.SQL(
        "WITH written AS ({}), moved AS ({}), traced AS ({} RETURNING id)"
        " SELECT (SELECT id FROM written), (SELECT count(*) FROM traced)"
    ).format(
        sql.SQL(insert_text(new, " ON CONFLICT DO NOTHING")),
        _update(shape, "", (), only_if="written"),
        _traces(["moved"]),
    )
    return text.as_string()


def _traces(names: Sequence[str]) -> sql.Composed:
    """One INSERT of what the named steps leave."""
    traces = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT %s, {name}.id, %s, %s, %s, %s, %s, %s, %s FROM {name}").format(
            name=sql.Identifier(name)
        )
        for name in names
    )
    return sql.SQL(
        "INSERT INTO core_statechange (entity, entity_id, from_status, to_status,"
        " actor, actor_name, reason, fields, created_at) {}"
    ).format(traces)


def _update(
    shape: StepShape, counter: str, beside: tuple[str, ...], only_if: str = ""
) -> sql.Composed:
    """The UPDATE of one step; `only_if` names what must have a row.

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
    return sql.SQL("UPDATE {} SET {} WHERE {} = {} AND {} = %s{} RETURNING {}").format(
        sql.Identifier(meta.db_table),
        sql.SQL(", ").join(changes),
        sql.Identifier(meta.pk.column),
        sql.SQL("%s" if shape.single else "ANY(%s)"),
        sql.Identifier(status),
        sql.SQL(" AND EXISTS (SELECT FROM {})" if only_if else "").format(sql.Identifier(only_if)),
        sql.SQL(", ").join([sql.SQL("{} AS id").format(sql.Identifier(meta.pk.column)), *read]),
    )
