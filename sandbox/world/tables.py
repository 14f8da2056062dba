"""Emptying the tables of a counterparty."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import Model


@transaction.atomic
def tables_empty(emptied: Sequence[type[Model]]) -> None:
    """Plain deletes in the order of the foreign keys: the ORM would collect every row first."""
    with connection.cursor() as cursor:
        for model in emptied:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608 - our own names
