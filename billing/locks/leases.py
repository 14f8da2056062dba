"""Due rows, taken by one worker each: leased for some seconds, so that a lost one only waits."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from billing.models import Invoice, TransactionKind, TransactionStatus
from core import clock
from core.locking import advisory_lock

# The array is read once; a plan may run a list again after each row and lease past the limit.
_LEASE = """
UPDATE {table} SET due_at = %s WHERE id = ANY(ARRAY(
  SELECT id FROM {table} AS waiting WHERE due_at <= %s AND {also}
  ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED))
RETURNING id
"""
_TRANSACTIONS = _LEASE.format(table="billing_paymenttransaction", also="true")
# Written and never sent; how the others stand is asked when the sweeper's time for it has come.
_REFUNDS = _LEASE.format(
    table="billing_paymenttransaction",
    also=f"kind = '{TransactionKind.REFUND}' AND status = '{TransactionStatus.CREATED}'",
)
# A notice whose order is not known yet has nothing to be applied to.
_NOTICES = _LEASE.format(
    table="billing_paymentnotice",
    also="applied_at IS NULL AND (kind = 'agreement' OR EXISTS ("
    "SELECT 1 FROM billing_paymenttransaction t WHERE t.number = waiting.number))",
)
_DRIVEN = ", ".join(f"'{state}'" for state in sorted(Invoice.DRIVEN))
_INVOICES = _LEASE.format(table="billing_invoice", also=f"status IN ({_DRIVEN})")
_MIXED = _LEASE.format(table="billing_mixedorder", also="true")
_EVENT = """
UPDATE billing_hisevent SET due_at = %s WHERE id = %s AND due_at <= %s RETURNING id
"""
_AGREEMENTS = _LEASE.format(table="billing_agreement", also="true")


def transactions_lease(*, limit: int, lease_s: int) -> list[int]:
    """Due transactions, passed over by other sweepers until the lease ends; rows that somebody
    holds are skipped. One statement, its own transaction."""
    return _leased(_TRANSACTIONS, limit, lease_s)


def refunds_lease(*, limit: int, lease_s: int) -> list[int]:
    """Refunds that were never sent and are due, leased like transactions."""
    return _leased(_REFUNDS, limit, lease_s)


def invoices_lease(*, limit: int, lease_s: int) -> list[int]:
    """Bills whose next step is due, leased like transactions."""
    return _leased(_INVOICES, limit, lease_s)


def notices_lease(*, limit: int, lease_s: int) -> list[int]:
    """Due notices that can be applied by now, leased like transactions."""
    return _leased(_NOTICES, limit, lease_s)


def agreements_lease(*, limit: int, lease_s: int) -> list[int]:
    """Agreements to ask about, leased like transactions."""
    return _leased(_AGREEMENTS, limit, lease_s)


def mixed_lease(*, limit: int, lease_s: int) -> list[int]:
    """Orders of both kinds whose return the channel is to be told, leased like transactions."""
    return _leased(_MIXED, limit, lease_s)


def event_lease(*, event_pk: int, lease_s: int) -> bool:
    """Lease one due event to its pusher; False when another has it or it is not due."""
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(_EVENT, [now + timedelta(seconds=lease_s), event_pk, now])
        return cursor.fetchone() is not None


def events_numbering_lock() -> None:
    """One publisher at a time numbers events, so that a reader never misses one."""
    advisory_lock("his_events")


def _leased(statement: str, limit: int, lease_s: int) -> list[int]:
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(statement, [now + timedelta(seconds=lease_s), now, limit])
        return [row[0] for row in cursor.fetchall()]
