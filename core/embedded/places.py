"""Where embedded servers keep their data and their sockets."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

ENVIRONMENTS = ("demo", "test", "production")

# A Unix socket's path may have 107 bytes; this leaves room for "/.s.PGSQL.5432".
SOCKET_DIR_MAX = 90


def var_dir() -> Path:
    """Everything that is made at run time lies here; PORTAL_VAR_DIR moves it."""
    default = Path(__file__).resolve().parent.parent.parent / "var"
    return Path(os.environ.get("PORTAL_VAR_DIR") or default).resolve()


def environment() -> str:
    """PORTAL_ENV: demo unless it says otherwise.

    A word we do not know is refused at once: whoever wrote `prod` does not want a demo.
    """
    name = os.environ.get("PORTAL_ENV") or "demo"
    if name not in ENVIRONMENTS:
        message = f"PORTAL_ENV must be one of {', '.join(ENVIRONMENTS)}, not {name!r}"
        raise ImproperlyConfigured(message)
    return name


def testing() -> bool:
    return environment() == "test"


def embedded_dir() -> Path:
    """Tests have servers of their own, so that they never meet the demo's data."""
    return var_dir() / ("test" if testing() else "servers")


def socket_dir(server_dir: Path) -> Path:
    """The server's own directory, or a short one where that path would be too long."""
    if len(os.fsencode(server_dir)) <= SOCKET_DIR_MAX:
        return server_dir
    name = hashlib.sha256(os.fsencode(server_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"portal-{os.geteuid()}-{name}"
