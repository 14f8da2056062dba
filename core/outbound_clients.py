"""Persistent HTTP clients, one per counterparty and certificate.

A new connection costs three round trips with TLS; a kept one none. Clients are built lazily, shared
by all threads, and forgotten in a forked child, whose sockets would be its parent's.
"""

from __future__ import annotations

import os
import ssl
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import httpx

_CONNECTIONS = httpx.Limits(
    max_connections=64,
    max_keepalive_connections=16,
    # Shorter than a server's usual 15 s or more, so that it is we who close an idle connection
    # and a request is not lost on one the other side has just closed.
    keepalive_expiry=8,
)


@dataclass(frozen=True, slots=True)
class ClientCert:
    """A client certificate and its key, both PEM text; `ca_pem` vouches for the server."""

    certificate_pem: str
    key_pem: str = field(repr=False)
    password: str = field(default="", repr=False)
    ca_pem: str = ""


_Key = tuple[str, ClientCert | None, str]
_clients: dict[_Key, httpx.Client] = {}
_lock = threading.Lock()


def client_for(counterparty: str, cert: ClientCert | None, ca_file: str) -> httpx.Client:
    """The shared client; ValueError where certificate or CA cannot be used."""
    key = (counterparty, cert, ca_file)
    client = _clients.get(key)
    if client is None:
        with _lock:
            client = _clients.get(key)
            if client is None:
                client = _clients[key] = _built(cert, ca_file)
    return client


def forget_clients() -> None:
    """Start anew without closing: the sockets may belong to the parent process."""
    global _lock  # noqa: PLW0603  a lock held by another thread at the fork would stay held
    _lock = threading.Lock()
    _clients.clear()


def _built(cert: ClientCert | None, ca_file: str) -> httpx.Client:
    return httpx.Client(
        verify=_tls(cert, ca_file),
        limits=_CONNECTIONS,
        follow_redirects=False,  # a redirected payment request would be a second one
        trust_env=False,  # no proxy by accident
        headers={"User-Agent": "hospital-billing-portal"},
    )


def _tls(cert: ClientCert | None, ca_file: str) -> ssl.SSLContext:
    try:
        ca_pem = cert.ca_pem if cert is not None else ""
        context = ssl.create_default_context(cafile=ca_file or None, cadata=ca_pem or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if cert is not None:
            _load(context, cert)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"TLS material cannot be used: {error}") from error
    return context


def _load(context: ssl.SSLContext, cert: ClientCert) -> None:
    """The ssl module reads only files; this one is private and gone at once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "client.pem"
        path.touch(mode=0o600)
        path.write_text(f"{cert.certificate_pem.strip()}\n{cert.key_pem.strip()}\n", "ascii")
        context.load_cert_chain(path, password=cert.password or None)


os.register_at_fork(after_in_child=forget_clients)
