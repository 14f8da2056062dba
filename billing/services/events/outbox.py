"""What the HIS will be told, written in the transaction of the fact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from billing.models import EventType, Invoice, InvoiceReturn
from core import clock
from core.json_values import dumps
from core.statements import prepared_cursor
from core.states import Numbered

# The invoice's counter and the event are one statement: a number without its event, or two events
# of one number, cannot be committed. The id a reader pages by is given later, by the relay.
_EVENT = """
INSERT INTO billing_hisevent
  (client_id, invoice_id, seq, type, data, attempts, occurred_at, created_at)
SELECT client_id, id, event_seq, %s, %s, 0, %s, %s FROM moved
"""
_COUNT = """
WITH moved AS (
  UPDATE billing_invoice SET event_seq = event_seq + 1 WHERE id = %s
  RETURNING id, client_id, event_seq
)
"""
_ADD = " ".join((_COUNT, _EVENT, "RETURNING seq"))


def event_add(
    *, invoice: Invoice, type: EventType, data: Mapping[str, Any], occurred_at: datetime
) -> int:
    """Add the next event of an invoice that is locked or new; returns its place in the row.

    One statement. The relay publishes it after the commit, in the order of `seq`.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("an event is written in the transaction of what it tells")
    with prepared_cursor() as cursor:
        cursor.execute(_ADD, [invoice.pk, *_values(type, data, occurred_at)])
        row = cursor.fetchone()
    if row is None:
        raise RuntimeError(f"no invoice {invoice.pk} to tell about")
    invoice.event_seq = row[0]
    return int(row[0])


def event_with_step(*, type: EventType, data: Mapping[str, Any], occurred_at: datetime) -> Numbered:
    """The next event of an invoice, for the statement in which that invoice moves."""
    values = _values(type, data, occurred_at)
    return Numbered("event_seq", _EVENT, values, beside=("client_id",))


def _values(type: EventType, data: Mapping[str, Any], occurred_at: datetime) -> list[Any]:
    kind, facts = EventType(type).value, Jsonb(dict(data), dumps=dumps)
    return [kind, facts, occurred_at, clock.now()]


def return_event_add(
    *,
    invoice: Invoice,
    returned: InvoiceReturn,
    type: EventType,
    occurred_at: datetime,
    **more: str,
) -> int:
    """Add an event about a return of a locked invoice: its number and its whole amount."""
    data = {"refund_no": returned.refund_no, "amount_fen": returned.amount_fen, **more}
    return event_add(invoice=invoice, type=type, data=data, occurred_at=occurred_at)
