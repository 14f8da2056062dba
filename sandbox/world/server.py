"""A small threaded WSGI server that owns its sockets, so that it can cut an answer on the wire.

A general server answers every request it accepted; a counterparty that fails does not. One thread
per connection, HTTP/1.1 with keep-alive, a second port with mutual TLS.
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from sandbox.world.wire import CUT

MAX_BODY = 4_000_000


class Exchange(BaseHTTPRequestHandler):
    """One connection: reads requests, calls the application, writes or cuts the answers."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        # The handshake happens here, in the connection's thread: a slow client blocks only itself.
        if isinstance(self.request, ssl.SSLSocket):
            self.request.settimeout(10)
            self.request.do_handshake()
        super().setup()

    def answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if "chunked" in self.headers.get("Transfer-Encoding", "") or not length.isdecimal():
            self.send_error(411)
            self.close_connection = True
            return
        if int(length) > MAX_BODY:
            self.send_error(413)
            self.close_connection = True
            return
        environ = self._environ(self.rfile.read(int(length)))
        started: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            started.update(status=status, headers=headers)

        result = self.server.application(environ, start_response)
        try:
            body = b"".join(result)
        finally:
            # Django gives its database connection back when the answer is closed.
            if hasattr(result, "close"):
                result.close()
        self._write(started["status"], started["headers"], body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = answer  # noqa: N815

    def _environ(self, body: bytes) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": str(self.server.server_address[0]),
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": str(self.client_address[0]),
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "https" if self.server.tls else "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            # The path exactly as sent: signatures cover it undecoded.
            "sandbox.raw_path": self.path,
            "sandbox.client_certificate": self._client_certificate(),
        }
        for name, value in self.headers.items():
            environ.setdefault("HTTP_" + name.upper().replace("-", "_"), value)
        return environ

    def _client_certificate(self) -> str:
        """The common name of the client's certificate, empty on the plain port."""
        if not isinstance(self.connection, ssl.SSLSocket):
            return ""
        peer: Any = self.connection.getpeercert() or {}
        names = dict(pair for group in peer.get("subject", ()) for pair in group)
        return str(names.get("commonName", ""))

    def _write(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        how = next((value for name, value in headers if name == CUT), "")
        if how in ("reset", "silent") or (how == "half" and not body):
            self._hang_up(reset=how == "reset")
            return
        lines = [f"HTTP/1.1 {status}"]
        lines += [f"{n}: {v}" for n, v in headers if n not in (CUT, "Content-Length")]
        lines.append(f"Content-Length: {len(body)}")
        closing = self.close_connection or how == "half"
        lines.append("Connection: close" if closing else "Connection: keep-alive")
        payload = b"" if self.command == "HEAD" else body
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        self.connection.sendall(head + (payload[: len(payload) // 2] if how == "half" else payload))
        if how == "half":
            self._hang_up(reset=False)

    def _hang_up(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            # Linger of zero seconds: the peer sees a reset, not an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def log_message(self, format: str, *args: Any) -> None:
        """No access log: the books and notices tell what happened."""


class Server(ThreadingHTTPServer):
    """A listening port; `tls` makes it refuse whoever has no certificate of our CA."""

    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(
        self, address: tuple[str, int], application: WSGIApplication, tls: ssl.SSLContext | None
    ) -> None:
        self.application = application
        self.tls = tls
        super().__init__(address, Exchange)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self.tls:
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close without the orderly half-close, which would turn a wanted reset into an end."""
        try:
            lingering = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        except OSError:
            lingering = b""
        if struct.pack("ii", 1, 0) == lingering:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Peers that hang up or bring no certificate are everyday; other errors are told."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def mutual_tls(certificate_file: str, key_file: str, ca_file: str) -> ssl.SSLContext:
    """A server context that demands a client certificate of this CA."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate_file, key_file)
    context.load_verify_locations(ca_file)
    context.verify_mode = ssl.CERT_REQUIRED
    return context
