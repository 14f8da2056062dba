"""A collect ends without the bill being paid: it answers its caller, and the bill is to pay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from billing.models import CollectRequest, CollectStatus, EventType, Invoice, InvoiceStatus
from billing.services.events.outbox import event_add
from core import clock
from core.actors import SYSTEM, Actor
from core.states import transition


def collect_end(
    collect: CollectRequest, to: CollectStatus, code: str, *, by: Actor = SYSTEM
) -> None:
    """The answer of a running collect; its code is forgotten."""
    transition(collect, to, by=by, reason=code, decline_code=code, auth_code="")


def hand_back(
    invoice: Invoice,
    collect: CollectRequest,
    to: CollectStatus,
    code: str,
    *,
    action: dict[str, str] | None,
) -> None:
    """End the collect and leave the bill to pay."""
    collect_end(collect, to, code)
    bill_free(invoice, code, action=action)


def bill_free(
    invoice: Invoice,
    code: str,
    *,
    action: dict[str, str] | None,
    by: Actor = SYSTEM,
    **fields: Any,
) -> None:
    """Leave a bill to pay, with why nothing was taken and what would help."""
    transition(
        invoice,
        InvoiceStatus.ISSUED,
        by=by,
        reason=code,
        decline_code=code,
        due_at=None,
        action=action,
        **fields,
    )


def his_told(invoice: Invoice, event: EventType, data: Mapping[str, object]) -> None:
    """An event of now."""
    event_add(invoice=invoice, type=event, data=data, occurred_at=clock.now())
