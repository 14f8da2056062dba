"""A return that is not given: its lines are free again, and the HIS hears why."""

from __future__ import annotations

from billing.models import EventType, Invoice, InvoiceReturn, ReturnStatus
from billing.services.events.outbox import return_event_add
from billing.services.refunding.return_lines import lines_freed
from core import clock
from core.actors import Actor
from core.states import transition


def return_refuse(*, returned: InvoiceReturn, invoice: Invoice, by: Actor, reason: str) -> None:
    """REJECTED, both rows locked; nothing was posted for it and nothing leaves."""
    transition(returned, ReturnStatus.REJECTED, by=by, reason=reason)
    lines_freed(returned)
    return_event_add(
        invoice=invoice,
        returned=returned,
        type=EventType.REFUND_FAILED,
        occurred_at=clock.now(),
        reason=reason,
    )
