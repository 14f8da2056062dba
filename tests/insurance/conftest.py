"""A counterparty on a real socket that answers what a test wrote down from the reference."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.fixtures.lock_order import lock_order

__all__ = ["lock_order"]


@dataclass
class Recorded:
    """What arrived, and what is answered next; an answer None cuts the connection."""

    url: str = ""
    answers: deque[tuple[int, bytes, str] | None] = field(default_factory=deque)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    def answer(self, body: bytes, status: int = 200, kind: str = "application/json") -> None:
        self.answers.append((status, body, kind))

    def silence(self) -> None:
        self.answers.append(None)

    @property
    def last(self) -> dict[str, Any]:
        return json.loads(self.requests[-1][2])


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    world = Recorded()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            world.requests.append((self.path, headers, body))
            answer = world.answers.popleft()
            if answer is None:
                self.close_connection = True
                return
            status, text, kind = answer
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_arguments: Any) -> None:
            """The test says what matters."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    world.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield world
    server.shutdown()
    server.server_close()
