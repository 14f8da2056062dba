"""An insured bill is paid: its receivable is zero and its claim settled."""

from __future__ import annotations

from typing import Any

from billing.models import (
    CollectRequest,
    CollectStatus,
    CourseStep,
    EventType,
    InsuredCourse,
    Invoice,
    InvoiceStatus,
    PaymentTransaction,
    TransactionStatus,
    Why,
)
from billing.services.events.outbox import event_add
from billing.services.messages import tell_paid
from core import clock
from core.actors import SYSTEM, Actor
from core.states import transition


def bill_settled(invoice: Invoice, collect: CollectRequest | None) -> None:
    """PAID, with the tender that took the cash part, or none where there was nothing to take."""
    transition(invoice, InvoiceStatus.PAID, by=SYSTEM, reason="settled", due_at=None, action=None)
    if collect is not None:
        transition(collect, CollectStatus.PAID, by=SYSTEM, auth_code="")
    row = _last_tender(invoice)
    data: dict[str, Any] = {"amount_fen": invoice.cash_fen}
    if row is not None:
        data |= {"payment_no": row.payment.payment_no, "channel": row.payment.channel}
    event_add(invoice=invoice, type=EventType.PAID, data=data, occurred_at=clock.now())
    if row is not None:
        tell_paid(row, invoice)


def cash_was_last(invoice: Invoice, by: Actor) -> bool:
    """The cash part of an insured bill is there: whether that was the last of it. It was where the
    window took it after the settlement; else the settlement is next."""
    if invoice.settled_at is not None:
        InsuredCourse.objects.filter(invoice=invoice).update(step=CourseStep.DONE, why=Why.NONE)
        return True
    now = clock.now()
    if invoice.status in (InvoiceStatus.ISSUED, InvoiceStatus.PRICING):
        transition(invoice, InvoiceStatus.COLLECTING, by=by, reason="cash part taken", due_at=now)
    else:
        Invoice.objects.filter(pk=invoice.pk).update(due_at=now)
    return False


def _last_tender(invoice: Invoice) -> PaymentTransaction | None:
    return (
        PaymentTransaction.objects.filter(
            payment__invoice=invoice, kind="CAPTURE", status=TransactionStatus.SUCCEEDED
        )
        .select_related("payment")
        .order_by("-pk")
        .first()
    )
