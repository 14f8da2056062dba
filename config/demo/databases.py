"""The sandbox's own database, beside the portal's on the same server."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from core.embedded.addresses import database_url


def database_beside(name: str) -> str:
    """The address of a database of this name next to the portal's, made if it is not there."""
    parts = urlsplit(database_url())
    with psycopg.connect(database_url(), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if found.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlunsplit(parts._replace(path=f"/{name}"))
