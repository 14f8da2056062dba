"""Prepared statements on Django's own connection.

Django binds parameters on the client and never prepares. A hot statement goes through this cursor
instead: planned once per connection, and still seen by Django's query log and wrappers. psycopg
forgets its prepared statements at ROLLBACK and DROP, so none outlives what it names.
"""

from __future__ import annotations

from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

# psycopg prepares nothing while the threshold is None, Django's default. So high a number prepares
# only what asks for it.
_ONLY_ON_REQUEST = 1_000_000_000


class PreparedCursor(psycopg.Cursor[tuple[Any, ...]]):
    """A cursor that prepares what it executes. Keep the texts few and literal."""

    def execute(self, query: Any, params: Any = None, **_: Any) -> PreparedCursor:
        super().execute(query, params, prepare=True)
        return self


def prepared_cursor() -> Any:
    """A cursor of the current connection, wrapped as Django wraps its own."""
    own: Any = connections[DEFAULT_DB_ALIAS]  # looked up once; the proxy would at every step
    own.ensure_connection()
    raw = own.connection
    if raw.prepare_threshold is None:
        raw.prepare_threshold = _ONLY_ON_REQUEST
    cursor = PreparedCursor(raw)
    return own.make_debug_cursor(cursor) if own.queries_logged else own.make_cursor(cursor)
