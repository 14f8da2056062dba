"""Where the database and the broker are: settings ask here, and nothing is started by asking.

In this order: `DATABASE_URL` / `CELERY_BROKER_URL`; the addresses of a running demo (in a demo
only); the embedded servers, which exist as soon as a command that needs them starts them.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from core.embedded.errors import EmbeddedServerError
from core.embedded.places import embedded_dir, environment, socket_dir, testing
from core.embedded.run_file import run_file_read

DATABASE_NAME = "portal"
POSTGRES_USER = "portal"

# A wait for a row lock beyond this is a fault to see, not a queue to stand in; a transaction left
# open would hold its locks for ever.
SESSION_OPTIONS = "-c lock_timeout=3s -c idle_in_transaction_session_timeout=60s"


def database_is_embedded() -> bool:
    """Also while a demo runs on the embedded server: who joins it holds a lease of its own."""
    return database_url() == _embedded_database_url()


def broker_is_embedded() -> bool:
    return broker_url() == _embedded_broker_url()


def database_url() -> str:
    """The database as one address, for run.json and for child processes."""
    given = _given("DATABASE_URL", "database_url")
    if not given:
        _refuse_in_production("DATABASE_URL")
    return given or _embedded_database_url()


def broker_url() -> str:
    """The broker as Celery wants it."""
    given = _given("CELERY_BROKER_URL", "broker_url")
    if not given:
        _refuse_in_production("CELERY_BROKER_URL")
    return given or _embedded_broker_url()


def database_settings() -> dict[str, Any]:
    """Django's DATABASES["default"]."""
    settings = _settings_from_url(database_url())
    options = settings["OPTIONS"]
    options["options"] = f"{options.get('options', '')} {SESSION_OPTIONS}".strip()
    options.setdefault("application_name", "portal")
    # Connections persist: through the pool a waiting web thread can give its connection back.
    # Tests fork and kill processes, which a pool's threads would not survive.
    size = _pool_size()
    if size:
        options["pool"] = {"min_size": 1, "max_size": size, "timeout": 10}
        settings["CONN_MAX_AGE"] = 0  # the pool keeps them; Django refuses both at once
    else:
        settings["CONN_MAX_AGE"] = 600
    settings["CONN_HEALTH_CHECKS"] = True
    settings["TEST"] = {"NAME": os.environ.get("PORTAL_TEST_DB", "test_portal")}
    return settings


def _embedded_database_url() -> str:
    host = quote(str(socket_dir(embedded_dir() / "postgres")), safe="/")
    return f"postgresql://{POSTGRES_USER}@/{DATABASE_NAME}?host={host}"


def _embedded_broker_url() -> str:
    return f"redis+socket://{socket_dir(embedded_dir() / 'valkey') / 'valkey.sock'}"


def _given(variable: str, key: str) -> str:
    """Neither tests nor production ever use a running demo's servers."""
    value = os.environ.get(variable, "")
    if value or environment() != "demo":
        return value
    return run_file_read().get(key, "")


def _refuse_in_production(variable: str) -> None:
    if environment() == "production":
        message = f"{variable} is not set; production never uses an embedded server"
        raise EmbeddedServerError(message)


def _pool_size() -> int:
    default = "0" if testing() else "16"
    text = os.environ.get("PORTAL_DB_POOL", default)
    if not text.isdecimal():
        message = f"PORTAL_DB_POOL must be a number of connections, not {text!r}"
        raise EmbeddedServerError(message)
    return int(text)


def _settings_from_url(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    # The address may hold a password, so it is not repeated here.
    message = "DATABASE_URL must look like postgresql://user:password@host:port/name"
    if parts.scheme not in {"postgres", "postgresql"} or not parts.path.strip("/"):
        raise EmbeddedServerError(message)
    try:
        port = str(parts.port or "")
    except ValueError:
        raise EmbeddedServerError(message) from None
    query = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", unquote(parts.hostname or "")),
        "PORT": port,
        "OPTIONS": query,
    }
