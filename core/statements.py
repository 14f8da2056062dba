"""Prepared statements on Django's own connection.

Django binds parameters on the client and never prepares. A hot statement goes through this cursor
instead: planned once per connection, and still seen by Django's query log and wrappers. psycopg
forgets its prepared statements at ROLLBACK and DROP, so none outlives what it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

# psycopg prepares nothing while the threshold is None, Django's default. So high a number prepares
# only what asks for it.
_ONLY_ON_REQUEST = 1_000_000_000
_IDLE = "_portal_idle_cursors"


class PreparedCursor(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor that prepares what it executes. Keep the texts few and literal."""

    def execute(self, query: Any, params: Any = None, **_: Any) -> PreparedCursor:
        super().execute(query, params, prepare=True)
        return self


class _Statement:
    """The part of Django's cursor wrapper that a statement of ours needs, without its layers."""

    __slots__ = ("_cursor", "_idle", "_own")

    def __init__(self, own: Any, idle: list[PreparedCursor]) -> None:
        self._own, self._idle = own, idle
        self._cursor = idle.pop() if idle else PreparedCursor(own.connection)

    def __enter__(self) -> _Statement:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._idle.append(self._cursor)

    def execute(self, query: str, params: Any = None) -> None:
        self._own.validate_no_broken_transaction()
        with self._own.wrap_database_errors:
            self._cursor.execute(query, params)

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    @property
    def rowcount(self) -> int:
        return self._cursor.rowcount


def prepared_cursor() -> Any:
    """A cursor of the current connection for one `with`; wrapped as Django wraps its own where
    somebody looks on."""
    own: Any = connections[DEFAULT_DB_ALIAS]  # looked up once; the proxy would at every step
    if own.connection is None:
        own.ensure_connection()
    raw = own.connection
    if raw.prepare_threshold is None:
        raw.prepare_threshold = _ONLY_ON_REQUEST
        setattr(raw, _IDLE, [])
    if own.queries_logged:
        return own.make_debug_cursor(PreparedCursor(raw))
    if own.execute_wrappers:
        return own.make_cursor(PreparedCursor(raw))
    return _Statement(own, getattr(raw, _IDLE))


@contextmanager
def one_trip() -> Iterator[None]:
    """Send what is executed inside in one round trip; what it found is read afterwards.

    The database still takes one statement after the other, each seeing what was committed when it
    begins. After one that fails none of the later is executed; its error is raised here.
    """
    own: Any = connections[DEFAULT_DB_ALIAS]
    own.ensure_connection()
    with own.wrap_database_errors, own.connection.pipeline():
        yield
