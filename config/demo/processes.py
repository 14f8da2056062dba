"""Start the demo's processes, watch them, and end exactly those."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

START_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0
WEB_THREADS = 64  # 32 waiters of `collect` leave as many for notices and pages
WORKER_THREADS = 12  # tasks wait for counterparties more than they compute


class NotStarted(RuntimeError):
    """A process ended or did not answer in time; its log says why."""


@dataclass(slots=True)
class Child:
    name: str
    process: subprocess.Popen[bytes]
    log: Path


@dataclass(slots=True)
class Processes:
    """Children in the order they were started; stopped in the other order."""

    log_dir: Path
    environment: Mapping[str, str]
    children: list[Child] = field(default_factory=list)

    def start(self, name: str, *command: str, **extra: str) -> Child:
        self.log_dir.mkdir(parents=True, exist_ok=True)
        log = self.log_dir / f"{name}.log"
        with log.open("ab") as file:
            # Own session: Ctrl-C reaches only the demo, which then stops its children in order.
            process = subprocess.Popen(
                command,
                env={**os.environ, **self.environment, **extra},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child = Child(name, process, log)
        self.children.append(child)
        return child

    def wait_for(self, child: Child, url: str) -> None:
        """Until the child answers 200; NotStarted when it ends or takes too long."""
        deadline = time.monotonic() + START_WITHIN_S
        while time.monotonic() < deadline:
            if child.process.poll() is not None:
                raise NotStarted(f"{child.name} ended at start; see {child.log}")
            if _answers(url):
                return
            time.sleep(0.15)
        raise NotStarted(f"{child.name} does not answer at {url}; see {child.log}")

    def ended(self) -> Child | None:
        """A child that ended although nobody asked it to."""
        return next((c for c in self.children if c.process.poll() is not None), None)

    def stop(self) -> None:
        for child in reversed(self.children):
            _stop(child.process)
        self.children.clear()


def portal_command(port: int) -> tuple[str, ...]:
    return (
        str(Path(sys.executable).with_name("granian")),
        "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--blocking-threads", str(WEB_THREADS), "--backpressure", "256",
        "--no-ws", "--log-level", "warning", "config.wsgi:application",
    )  # fmt: skip


def sandbox_command(port: int, credentials: Path) -> tuple[str, ...]:
    return (
        sys.executable, "-m", "sandbox.manage", "serve", "--port", str(port), "--migrate",
        "--provision", str(credentials),
    )  # fmt: skip


def worker_command() -> tuple[str, ...]:
    return (
        sys.executable, "-m", "celery", "-A", "config", "worker", "--pool", "threads",
        "--concurrency", str(WORKER_THREADS), "--loglevel", "WARNING", "--without-gossip",
        "--without-mingle", "--without-heartbeat",
    )  # fmt: skip


def beat_command(pid_file: Path) -> tuple[str, ...]:
    return (
        sys.executable, "-m", "celery", "-A", "config", "beat", "--loglevel", "WARNING",
        "--pidfile", str(pid_file),
    )  # fmt: skip


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=3, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
