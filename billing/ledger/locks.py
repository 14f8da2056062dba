"""The one lock of the ledger: the open days, shared by who posts, exclusive for who closes.

Posting takes it inside the database (`ledger_entry_day` in `migrations/0002_rules.sql`), so that no
writer can forget it; the number is written in both places.
"""

from __future__ import annotations

from django.db import connection

OPEN_DAYS = 7201126001


def open_days_lock_exclusive() -> None:
    """Wait until every posting transaction has ended and keep new ones waiting until ours does.

    Must be a statement of its own, before the first read: what it waited for is visible only to
    statements that begin after it.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [OPEN_DAYS])
