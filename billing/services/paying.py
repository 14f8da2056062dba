"""The last of a bill is there: it is paid, its collect answers, the HIS and people are told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from billing.models import (
    CollectMethod,
    CollectRequest,
    CollectStatus,
    EventType,
    Invoice,
    InvoiceStatus,
    PaymentTransaction,
)
from billing.reasons import Reason
from billing.selectors.collects import collect_took
from billing.services.events.outbox import event_with_step
from billing.services.messages import tell_paid
from core.actors import Actor
from core.states import Step, transition_together


def bill_paid(
    *,
    invoice: Invoice,
    collect: CollectRequest | None,
    row: PaymentTransaction | None,
    amount_fen: int,
    occurred_at: datetime,
    by: Actor,
    reason: str = "",
    with_it: Step | None = None,
) -> None:
    """PAID, both rows locked; `row` is the tender that took the patient's part, if any did, and
    `with_it` its own step where that is still to be taken: all of it in one statement."""
    data: dict[str, Any] = {"amount_fen": amount_fen}
    if row is not None:
        data |= {"payment_no": row.payment.payment_no, "channel": row.payment.channel}
    steps = [Step([invoice], InvoiceStatus.PAID, {"due_at": None, "action": None}, reason)]
    if collect is not None:
        steps.append(_collect_step(collect, row))
    if with_it is not None:
        steps.append(with_it)
    told = event_with_step(type=EventType.PAID, data=data, occurred_at=occurred_at)
    transition_together(*steps, by=by, numbered=told)
    if row is not None:
        tell_paid(row, invoice)


def _collect_step(collect: CollectRequest, row: PaymentTransaction | None) -> Step:
    """The collect that runs is answered. Cash is answered for itself alone: told "paid" for money
    that came another way, whoever holds the notes would keep them."""
    own = row is not None and row.payment.collect_id == collect.pk
    if collect.method == CollectMethod.CASH and not own and not collect_took(collect):
        ended = {"auth_code": "", "decline_code": Reason.PAID_OTHERWISE}
        return Step([collect], CollectStatus.DECLINED, ended, Reason.PAID_OTHERWISE)
    return Step([collect], CollectStatus.PAID, {"auth_code": ""})
