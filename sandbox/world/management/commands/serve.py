"""`python -m sandbox.manage serve`: both ports, the sender of notices, until it is told to stop."""

from __future__ import annotations

import signal
import ssl
import tempfile
import threading
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sandbox.world import clock, notices
from sandbox.world.registry import RELEASES, TLS, TlsMaterial
from sandbox.world.server import Server, mutual_tls
from sandbox.wsgi import application


class Command(BaseCommand):
    help = "Serve the counterparties on SANDBOX_PORT and, with mutual TLS, on the port after it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=settings.SANDBOX_PORT)
        parser.add_argument("--migrate", action="store_true", help="migrate the database first")
        parser.add_argument("--provision", type=Path, help="write the credentials to this folder")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        if options["migrate"]:
            call_command("migrate", verbosity=0, interactive=False)
        if options["provision"]:
            call_command("provision", dir=options["provision"])
        clock.clock_begin(again=False)
        try:
            servers = [Server((host, port), application, None)]
            servers += [Server((host, port + 1), application, _context(of())) for of in TLS]
        except OSError as error:
            raise CommandError(f"ports {port} and {port + 1} must be free: {error}") from error
        for release in RELEASES:
            release()
        notices.sender_start()
        for server in servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        self.stderr.write(f"sandbox http://{host}:{port} · mutual TLS https://{host}:{port + 1}")
        _wait_for_the_end()
        for server in servers:
            server.shutdown()


def _context(material: TlsMaterial) -> ssl.SSLContext:
    """The TLS library reads files only; they exist for the moment of the reading."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for name in ("certificate", "key", "ca"):
            file = Path(folder) / f"{name}.pem"
            file.touch(mode=0o600)
            file.write_text(getattr(material, name))
            files.append(str(file))
        return mutual_tls(*files)


def _wait_for_the_end() -> None:
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
