"""Production serves only when every system check passes, those that ask the database included."""

from __future__ import annotations

from typing import Any

from celery import bootsteps
from django.conf import settings
from django.core.checks import run_checks
from django.core.management.base import SystemCheckError
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper


def production_check() -> None:
    """Raise SystemCheckError with every fault; outside production there is nothing to ask."""
    if not settings.PRODUCTION:
        return
    try:
        found = run_checks(databases=["default"])
    finally:
        # Whoever starts us may fork; no connection of ours may be shared by its children.
        connection = connections["default"]
        connection.close()
        if isinstance(connection, DatabaseWrapper):
            connection.close_pool()
    faults = [str(message) for message in found if message.is_serious()]
    if faults:
        raise SystemCheckError("\n".join(["the portal does not start:", *faults]))


class CheckedWorker(bootsteps.Step):
    """A worker takes no task before the same checks."""

    def create(self, parent: Any) -> None:
        production_check()
