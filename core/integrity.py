"""Which rule of the database said no."""

from __future__ import annotations

import psycopg
from django.db import IntegrityError


def constraint_name(error: IntegrityError) -> str:
    """The constraint an IntegrityError is about; empty when the driver does not say."""
    cause = error.__cause__
    return (cause.diag.constraint_name or "") if isinstance(cause, psycopg.Error) else ""
