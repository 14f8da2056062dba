"""The last of a bill is there: it is paid, its collect answers, the HIS and people are told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing.models import (
    CollectRequest,
    CollectStatus,
    EventType,
    Invoice,
    InvoiceStatus,
    PaymentTransaction,
)
from billing.services.events.outbox import event_add
from billing.services.messages import tell_paid
from core.actors import Actor
from core.states import transition


def bill_paid(
    *,
    invoice: Invoice,
    collect: CollectRequest | None,
    row: PaymentTransaction | None,
    amount_fen: int,
    occurred_at: datetime,
    by: Actor,
    reason: str = "",
) -> None:
    """PAID, both rows locked; `row` is the tender that took the patient's part, if any did."""
    transition(invoice, InvoiceStatus.PAID, by=by, reason=reason, due_at=None, action=None)
    if collect is not None:
        transition(collect, CollectStatus.PAID, by=by, auth_code="")
    data: dict[str, Any] = {"amount_fen": amount_fen}
    if row is not None:
        data |= {"payment_no": row.payment.payment_no, "channel": row.payment.channel}
    event_add(invoice=invoice, type=EventType.PAID, data=data, occurred_at=occurred_at)
    if row is not None:
        tell_paid(row, invoice)
