"""The bench's own PostgreSQL: durable, with the memory a hospital's server would have."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

import django
import psycopg
from psycopg import sql

from core.embedded.postgres import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "bench_template"
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "4GB", "checkpoint_timeout": "30min"}


class Cluster:
    """A running cluster; databases of the portal are copies of one migrated template."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.server = PostgresServer(directory / "postgres", settings=SETTINGS)

    def __enter__(self) -> Cluster:
        self.directory.mkdir(parents=True, exist_ok=True)
        self.server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.server.stop()

    def url(self, database: str) -> str:
        return self.server.url(database)

    def portal_prepare(self) -> None:
        """Have the template migrated, and this process speak Django with the portal's settings."""
        os.environ["DATABASE_URL"] = self.url(TEMPLATE)
        os.environ["PORTAL_DB_POOL"] = "0"  # one connection per process, as the floor has it
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        mark, schema = self.directory / "template.schema", _schema()
        if not mark.exists() or mark.read_text() != schema:
            self.database_drop(TEMPLATE)
            self.database_create(TEMPLATE)
            command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
            subprocess.run(command, check=True, cwd=ROOT)
            mark.write_text(schema)
        django.setup()

    def portal_database(self, name: str) -> str:
        """A fresh, migrated database; returns its name."""
        self.database_drop(name)
        self.database_create(name, template=TEMPLATE)
        return name

    def database_create(self, name: str, template: str = "template0") -> None:
        self._administer("CREATE DATABASE {} TEMPLATE {}", name, template)

    def database_drop(self, name: str) -> None:
        self._administer("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def settle(self, database: str) -> None:
        """Statistics fresh, buffers written: every measurement begins alike."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")

    def _administer(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _schema() -> str:
    digest = hashlib.sha256(django.get_version().encode())
    for path in sorted(ROOT.glob("*/**/migrations/*.*")):
        if path.suffix in {".py", ".sql"} and ".venv" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()
