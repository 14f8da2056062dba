"""Settings of the sandbox: the counterparties as a project of their own.

`SANDBOX_DATABASE_URL` names its own PostgreSQL database, `SANDBOX_PORT` its port (the port after
it speaks mutual TLS), `PORTAL_URL` the portal whose clock moves with ours.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent


def _database(url: str) -> dict[str, Any]:
    """A connection with a pool: every call of a counterparty comes in a thread of its own."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ImproperlyConfigured("SANDBOX_DATABASE_URL must name a PostgreSQL database")
    query = dict(parse_qsl(parts.query))
    options: dict[str, Any] = {
        "pool": {"min_size": 2, "max_size": 24, "timeout": 20},
        # Pretended money may be lost with the database server; the calls should not wait for it.
        "options": "-c synchronous_commit=off",
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or query.pop("user", "")),
        "PASSWORD": unquote(parts.password or query.pop("password", "")),
        "HOST": unquote(parts.hostname or query.pop("host", "")),
        "PORT": str(parts.port or query.pop("port", "")),
        "OPTIONS": options,
    }


PORTAL_ENV = os.environ.get("PORTAL_ENV", "demo")
if PORTAL_ENV not in {"demo", "test"}:
    raise ImproperlyConfigured("the sandbox runs in a demo or a test, never in production")

SANDBOX_PORT = int(os.environ.get("SANDBOX_PORT") or 8001)
SANDBOX_URL = os.environ.get("SANDBOX_URL", f"http://127.0.0.1:{SANDBOX_PORT}").rstrip("/")
SANDBOX_TLS_URL = os.environ.get("SANDBOX_TLS_URL", f"https://127.0.0.1:{SANDBOX_PORT + 1}")
# Empty: no portal stands beside us, and the clock moves alone.
PORTAL_URL = os.environ.get("PORTAL_URL", "").rstrip("/")
# An RFC 3339 instant at which a fresh or emptied world begins; empty: now. Tests pin it.
SANDBOX_START = os.environ.get("SANDBOX_START", "")

SECRET_KEY = "the-sandbox-has-no-secrets"  # noqa: S105 - nothing of worth is behind it
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "sandbox.urls"
WSGI_APPLICATION = "sandbox.wsgi.application"
APPEND_SLASH = False

INSTALLED_APPS = [
    "sandbox.world",
    "sandbox.wechat_pay",
    "sandbox.alipay",
    "sandbox.nhsa",
    "sandbox.his",
    "sandbox.messages",
    "sandbox.phone",
]
MIDDLEWARE: list[str] = []
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
DATABASES = {
    "default": _database(
        os.environ.get("SANDBOX_DATABASE_URL", "postgresql://127.0.0.1:5432/sandbox")
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
USE_I18N = False
STATIC_URL = "static/"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s sandbox %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # A counterparty refuses calls all day; only its own failures belong in the log.
    "root": {"handlers": ["stderr"], "level": "ERROR"},
    "loggers": {"django": {"level": "ERROR"}, "httpx": {"level": "ERROR"}},
}
