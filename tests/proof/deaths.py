"""Processes forked from one warm parent, each of which may die by SIGKILL at a named point."""

from __future__ import annotations

import os
import signal
import socket
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from celery.app.task import Task
from django.core.wsgi import get_wsgi_application
from django.db import connections

from core import failpoints

KILLED = -signal.SIGKILL
PATIENCE_S = 60


def fork(job: Callable[[], None], log: Path, *, armed: str = "") -> int:
    """A child that does its job and ends; a fault of its own is written to the log."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        arm(armed)
        job()
        code = 0
    except BaseException:
        with log.open("a", encoding="utf8") as file:
            traceback.print_exc(file=file)
    finally:
        os._exit(code)


def arm(points: str) -> None:
    """What FAILPOINT does to a process that starts, done to one that was forked."""
    failpoints._from_environment = failpoints._parsed(points)
    failpoints._passes.clear()
    failpoints._active = bool(points)


def ended(pid: int, patience_s: float = PATIENCE_S) -> int:
    """Wait for a child; its exit code, negative for a signal."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise TimeoutError(f"process {pid} did not end")


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """No access log."""


@dataclass
class Web:
    """A web process on a port that outlives it: callers in the queue meet its successor."""

    log: Path
    ports: range
    listener: socket.socket = field(default_factory=socket.socket)
    port: int = 0
    pid: int = 0
    deaths: int = 0

    def __post_init__(self) -> None:
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for port in self.ports:
            try:
                self.listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            self.port = port
            break
        self.listener.listen(128)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, armed: str = "") -> None:
        self.pid = fork(self._serve, self.log, armed=armed)

    def _serve(self) -> None:
        Task.apply_async = _lost  # type: ignore[method-assign]
        server = _Server(("127.0.0.1", self.port), _Quiet, bind_and_activate=False)
        server.socket.close()
        server.socket = self.listener
        server.server_name, server.server_port = "127.0.0.1", self.port
        server.setup_environ()
        server.set_app(get_wsgi_application())
        server.serve_forever(0.02)

    def revive(self) -> bool:
        """Fork a successor if the process is dead; whether it was."""
        found, status = os.waitpid(self.pid, os.WNOHANG)
        if not found:
            return False
        code = os.waitstatus_to_exitcode(status)
        assert code == KILLED, f"the web process ended by itself with {code}"
        self.deaths += 1
        self.start()
        return True

    def stop(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.pid = 0

    def close(self) -> None:
        self.stop()
        self.listener.close()


def _lost(_task: Any, *_args: Any, **_options: Any) -> None:
    """Every hint to a worker is lost: what is told must not depend on it."""
