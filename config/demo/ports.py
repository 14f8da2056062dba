"""The demo's three ports, looked at before anything is started: what is wrong is one sentence.

The portal has one, the sandbox two: plain, and with mutual TLS the one after it.
"""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

from core.embedded.run_file import run_file_read
from core.results import ExitCode, Result

HOST = "127.0.0.1"
PORT_MAX = 65534  # the one after it exists, too
PORTAL, SANDBOX = "PORT", "SANDBOX_PORT"
# Beside its variable, what gives a whole address instead, and the port without either.
ASKED = {PORTAL: ("PORTAL_URL", "8000"), SANDBOX: ("SANDBOX_URL", "8001")}
RULE = f"ports are numbers from 1 to {PORT_MAX} and differ"
EXAMPLES_APART = 10


def ports_refusal() -> Result | None:
    """Why the demo cannot have its ports, or None where it can."""
    asked = {name: _asked(name) for name in ASKED}
    for name, text in asked.items():
        if not _is_port(text):
            return _refused("bad_port", f"{name}={text}: {RULE}", ExitCode.USAGE)
    portal, sandbox = int(asked[PORTAL]), int(asked[SANDBOX])
    if portal in (sandbox, sandbox + 1):
        text = f"{PORTAL}={portal}, {SANDBOX}={sandbox}: {RULE}, and the sandbox also takes "
        return _refused("bad_port", f"{text}{sandbox + 1}", ExitCode.USAGE)
    if run_file_read():
        return None  # a demo of this clone runs, maybe on these: its lock says so
    for name, port in ((PORTAL, portal), (SANDBOX, sandbox), (SANDBOX, sandbox + 1)):
        refusal = _taken(name, port, asked)
        if refusal is not None:
            return refusal
    return None


def _asked(name: str) -> str:
    """The port as it was written; of a whole address, its port."""
    url_name, default = ASKED[name]
    url = os.environ.get(url_name)
    if not url:
        return os.environ.get(name) or default
    try:
        return str(urlsplit(url).port or 80)
    except ValueError:
        return url


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 1 <= int(text) <= PORT_MAX


def _taken(name: str, port: int, asked: dict[str, str]) -> Result | None:
    try:
        if _is_free(port):
            return None
    except PermissionError:
        text = f"port {port} is the system's: choose one above 1023 for {name}"
        return _refused("bad_port", text, ExitCode.USAGE)
    also = "" if port == int(asked[name]) else f", and the sandbox also takes the one after {name}"
    text = f"port {port} is in use{also}: choose another{_example(name, asked)}"
    return _refused("port_in_use", text, ExitCode.TRY_LATER)


def _example(name: str, asked: dict[str, str]) -> str:
    """A choice that would do now, beside the other port as it is."""
    other = int(asked[SANDBOX if name == PORTAL else PORTAL])
    for port in range(int(asked[name]) + EXAMPLES_APART, PORT_MAX, EXAMPLES_APART):
        apart = abs(port - other) > 1
        if apart and _is_free(port) and _is_free(port + 1):
            return f", e.g. {name}={port}"
    return ""


def _is_free(port: int) -> bool:
    """Whether nobody listens there; PermissionError where we may not."""
    with socket.socket() as probe:
        # What a connection of a demo just ended leaves behind is no listener.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except PermissionError:
            raise
        except OSError:
            return False
    return True


def _refused(code: str, text: str, exit_code: ExitCode) -> Result:
    return Result({"error": {"code": code, "message": text}}, text, exit_code)
