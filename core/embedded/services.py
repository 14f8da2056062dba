"""Both servers together, for commands: started on demand, stopped by the last who leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from core.embedded.addresses import DATABASE_NAME, broker_is_embedded, database_is_embedded
from core.embedded.places import embedded_dir, testing
from core.embedded.postgres import PostgresServer
from core.embedded.valkey import ValkeyServer


@contextmanager
def embedded_services() -> Iterator[None]:
    """Have the database and the broker running; what is configured elsewhere is left alone."""
    with ExitStack() as stack:
        if database_is_embedded():
            postgres = PostgresServer(embedded_dir() / "postgres", durable=not testing())
            stack.callback(postgres.stop)
            postgres.start()
            postgres.database_ensure(DATABASE_NAME)
        if broker_is_embedded():
            valkey = ValkeyServer(embedded_dir() / "valkey")
            stack.callback(valkey.stop)
            valkey.start()
        yield
