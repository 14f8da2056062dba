"""Whether a transaction of the house is open: then nothing may leave it, no call and no hint."""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper


def in_transaction(connection: BaseDatabaseWrapper) -> bool:
    """True inside a transaction; the one a test case wraps around everything is not the house's."""
    blocks = connection.atomic_blocks
    of_testcase = bool(blocks) and getattr(blocks[-1], "_from_testcase", False)
    return connection.in_atomic_block and not of_testcase
