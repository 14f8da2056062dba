"""Queries and inserts of models, their text made once per process and planned once per connection.

Building a query's text anew costs more than running it, and Django never prepares. Where a path is
hot, the queryset is declared with its open values and compiled at its first use; rows come back as
ordinary instances. What is declared must not depend on the values: no `in` over a list, no None.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import date
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, models
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators
from psycopg import sql
from psycopg.types.numeric import Int8

from core.statements import one_trip, prepared_cursor

Row = TypeVar("Row", bound=models.Model)

# What stands for an open value while the text is made; no constant of a query looks like these.
_STAND_INS: dict[type, Callable[[int], Any]] = {
    int: lambda place: 4_611_686_018_427_000_000 + place,
    str: lambda place: f"\x01open value {place}",
    date: lambda place: date(1, 1, 1 + place),
}


class _Compiled(NamedTuple):
    text: str
    arguments: list[tuple[int | None, Any]]  # the place of an open value, or None and a constant
    model: type[models.Model]
    columns: slice
    names: list[str]
    related: list[Any]
    converters: list[tuple[int, list[Any], Any]]
    annotations: list[tuple[str, int]]  # name and place of what was read beside the columns


class PreparedQuery(Generic[Row]):
    """`PreparedQuery(lambda number: Thing.objects.filter(number=number), str)`, called with values.

    The kinds of the open values are int, str and date.
    """

    def __init__(self, build: Callable[..., models.QuerySet[Row]], *kinds: type) -> None:
        self._build = build
        self._kinds = kinds
        self._compiled: _Compiled | None = None

    def __call__(self, *values: int | str | date) -> list[Row]:
        """The rows, read fresh."""
        with prepared_cursor() as cursor:
            self._ask(cursor, values)
            return self._rows(cursor)

    def _ask(self, cursor: Any, values: Sequence[int | str | date]) -> None:
        known = self._compiled or self._compile()
        arguments = [rest if place is None else values[place] for place, rest in known.arguments]
        # One width for every number: a text is prepared once per kinds of its values.
        cursor.execute(known.text, [Int8(v) if type(v) is int else v for v in arguments])

    def _rows(self, cursor: Any) -> list[Row]:
        known, own = self._compiled, connections[DEFAULT_DB_ALIAS]
        assert known is not None
        return [self._instance(known, list(row), own) for row in cursor.fetchall()]

    def _instance(self, known: _Compiled, row: list[Any], own: Any) -> Row:
        for place, converters, expression in known.converters:
            for convert in converters:
                row[place] = convert(row[place], expression, own)
        instance: Any = _read(known.model, own.alias, known.names, row[known.columns])
        for populator in known.related:
            _read_beside(populator, row, instance)
        for name, place in known.annotations:
            setattr(instance, name, row[place])
        return instance  # type: ignore[no-any-return]

    def _compile(self) -> _Compiled:
        stand_ins = [_STAND_INS[kind](place) for place, kind in enumerate(self._kinds)]
        compiler: Any = self._build(*stand_ins).query.get_compiler(connection=connection)
        text, parameters = compiler.as_sql()
        arguments: list[tuple[int | None, Any]] = []
        for value in parameters:
            place = stand_ins.index(value) if value in stand_ins else None
            arguments.append((place, None if place is not None else value))
        if {place for place, _ in arguments if place is not None} != set(range(len(stand_ins))):
            raise TypeError("a declared query does not use each of its open values")
        info, select = compiler.klass_info, compiler.select
        first, last = info["select_fields"][0], info["select_fields"][-1]
        converters = compiler.get_converters([column for column, _, _ in select])
        self._compiled = _Compiled(
            text,
            arguments,
            info["model"],
            slice(first, last + 1),
            [column.target.attname for column, _, _ in select[first : last + 1]],
            # The stubs describe the next Django, which asks for one more argument.
            get_related_populators(info, select, connection.alias),  # type: ignore[call-arg]
            [(place, *found) for place, found in converters.items()],
            list(compiler.annotation_col_map.items()),
        )
        return self._compiled


def read_in_turn(*asked: tuple[PreparedQuery[Any], Sequence[int | str | date]]) -> list[list[Any]]:
    """The rows of each query, asked one after the other in one round trip."""
    with ExitStack() as stack:
        cursors = [stack.enter_context(prepared_cursor()) for _query in asked]
        with one_trip():
            for cursor, (query, values) in zip(cursors, asked, strict=True):
                query._ask(cursor, values)
        return [query._rows(cursor) for cursor, (query, _) in zip(cursors, asked, strict=True)]


def _read(
    model: type[models.Model], alias: str, names: list[str], values: list[Any]
) -> models.Model:
    """An instance as `from_db` makes it, without its walk over every field of the model: a column
    that was not read is looked up when it is asked for, all the same."""
    row = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, alias
    row.__dict__.update(zip(names, values, strict=True), _state=state)
    return row


def _read_beside(populator: Any, row: list[Any], instance: models.Model) -> None:
    """What Django's populator of `select_related` does, with `_read`."""
    columns, beside = row[populator.cols_start : populator.cols_end], None
    if columns[populator.pk_idx] is not None:
        beside = _read(populator.model_cls, populator.db, populator.init_list, columns)
        for further in populator.related_populators:
            _read_beside(further, row, beside)
    populator.local_setter(instance, beside)
    if beside is not None:
        populator.remote_setter(beside, instance)


def row_insert(row: Row) -> Row:
    """Insert a new row as `save()` would, and give it its id; the house has no signals to send."""
    with prepared_cursor() as cursor:
        cursor.execute(insert_text(type(row)), insert_values(row))
        inserted(row, cursor.fetchone()[0])
    return row


def row_insert_new(row: Row) -> bool:
    """`row_insert`, unless a unique number of it is taken: then nothing happens and it says so."""
    with prepared_cursor() as cursor:
        cursor.execute(insert_text(type(row), " ON CONFLICT DO NOTHING"), insert_values(row))
        written = cursor.fetchone()
        if written is not None:
            inserted(row, written[0])
    return written is not None


def rows_insert(first: Row, second: models.Model, *, link: str) -> Row:
    """Insert two new rows in one statement, the second naming the first by its field `link`."""
    with prepared_cursor() as cursor:
        text = _insert_two(type(first), type(second), link)
        cursor.execute(text, [*insert_values(first), *insert_values(second, link)])
        first_id, second_id = cursor.fetchone()
    setattr(second, link, inserted(first, first_id))
    inserted(second, second_id)
    return first


def row_update(row: models.Model, *names: str) -> None:
    """Write these columns of a row as `save(update_fields=...)` would, its text made once."""
    own = connections[DEFAULT_DB_ALIAS]
    fields = [row._meta.get_field(name) for name in names]
    values = [
        field.get_db_prep_save(field.pre_save(row, False), own)
        for field in fields
        if isinstance(field, models.Field)
    ]
    with prepared_cursor() as cursor:
        cursor.execute(_update(type(row), names), [*values, Int8(row.pk)])
        if cursor.rowcount != 1:
            raise DatabaseError(f"{row._meta.label} {row.pk} is not there to be written")


def inserted(row: Row, key: Any) -> Row:
    row.pk = key
    row._state.adding = False
    row._state.db = connection.alias
    return row


@cache
def _fields(model: type[models.Model], without: str = "") -> list[models.Field[Any, Any]]:
    fields = model._meta.local_concrete_fields
    return [field for field in fields if not field.primary_key and field.name != without]


def insert_values(row: models.Model, without: str = "") -> list[Any]:
    own = connections[DEFAULT_DB_ALIAS]
    given = [(field, field.pre_save(row, True)) for field in _fields(type(row), without)]
    if open_ := [field.name for field, value in given if hasattr(value, "resolve_expression")]:
        raise TypeError(f"{row._meta.label}: {open_} are no plain values")
    return [field.get_db_prep_save(value, own) for field, value in given]


@cache
def insert_text(model: type[models.Model], on_conflict: str = "") -> str:
    text = sql.SQL("INSERT INTO {} ({}) VALUES ({}){} RETURNING {}").format(
        *_names(model),
        sql.SQL(", ").join(sql.Placeholder() for _ in _fields(model)),
        sql.SQL(on_conflict),
        _key(model),
    )
    return text.as_string()


@cache
def _update(model: type[models.Model], names: tuple[str, ...]) -> str:
    columns = [model._meta.get_field(name).column for name in names]  # type: ignore[union-attr]
    changes = [sql.SQL("{} = %s").format(sql.Identifier(str(column))) for column in columns]
    text = sql.SQL("UPDATE {} SET {} WHERE {} = %s").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(changes), _key(model)
    )
    return text.as_string()


@cache
def _insert_two(first: type[models.Model], second: type[models.Model], link: str) -> str:
    text = sql.SQL(
        "WITH first AS ({}), second AS (INSERT INTO {} ({}, {}) SELECT id, {} FROM first"
        " RETURNING {} AS id) SELECT first.id, second.id FROM first, second"
    )
    table, columns = _names(second, link)
    return text.format(
        sql.SQL(insert_text(first) + " AS id"),
        table,
        *(sql.Identifier(str(one.column)) for one in _fields(second) if one.name == link),
        columns,
        sql.SQL(", ").join(sql.Placeholder() for _ in _fields(second, link)),
        _key(second),
    ).as_string()


def _names(model: type[models.Model], without: str = "") -> tuple[sql.Identifier, sql.Composed]:
    columns = [sql.Identifier(str(field.column)) for field in _fields(model, without)]
    return sql.Identifier(model._meta.db_table), sql.SQL(", ").join(columns)


def _key(model: type[models.Model]) -> sql.Identifier:
    return sql.Identifier(str(model._meta.pk.column))
