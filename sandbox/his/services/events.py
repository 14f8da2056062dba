"""Taking in the portal's events: once each, and per invoice in their order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from sandbox.his.locks import invoice_locked
from sandbox.his.models import Event, Invoice
from sandbox.his.services.returns import return_release
from sandbox.world import clock

MAX_SEQ = 2**31 - 1
MAX_ID = 64
# Either says that lines left the bill; the first one counts.
RETURNED = frozenset({"refund_accepted", "refunded"})
STATUS_AFTER = {"priced": "ISSUED", "paid": "PAID", "cancelled": "CANCELLED", "review": "REVIEW"}


class BadEvent(Exception):
    """The body is not an event; the text names the field."""


class OutOfOrder(Exception):
    """An event came before its predecessor, or another one under a known number."""


@dataclass(frozen=True)
class Incoming:
    event_id: str
    invoice_no: str
    seq: int
    type: str
    occurred_at: datetime
    data: dict[str, Any]


def event_parse(body: Any) -> Incoming:
    if not isinstance(body, dict):
        raise BadEvent("the body is not a JSON object")
    seq = body.get("seq")
    if not isinstance(seq, int) or isinstance(seq, bool) or not 1 <= seq <= MAX_SEQ:
        raise BadEvent("seq is not a positive integer")
    event_id = body.get("event_id")
    if isinstance(event_id, bool) or not isinstance(event_id, int | str):
        raise BadEvent("event_id is missing")
    if not 0 < len(str(event_id)) <= MAX_ID:
        raise BadEvent(f"event_id has 1 to {MAX_ID} characters")
    for field, most in (("invoice_no", 64), ("type", 32)):
        value = body.get(field)
        if not isinstance(value, str) or not 0 < len(value) <= most:
            raise BadEvent(f"{field} has 1 to {most} characters")
    data = body.get("data", {})
    if not isinstance(data, dict):
        raise BadEvent("data is not an object")
    return Incoming(
        event_id=str(event_id),
        invoice_no=body["invoice_no"],
        seq=seq,
        type=body["type"],
        occurred_at=_instant(body.get("occurred_at")),
        data=data,
    )


def _instant(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise BadEvent("occurred_at is not RFC 3339") from error
    if at.tzinfo is None:
        raise BadEvent("occurred_at has no offset")
    return at


def event_receive(*, incoming: Incoming) -> bool:
    """Stores the event and moves the books; False when it was known already.

    The first event of an invoice may carry any number, since a HIS may begin to listen late; from
    then on a gap is refused, so that the portal sends again in order.
    """
    Invoice.objects.get_or_create(
        invoice_no=incoming.invoice_no, defaults={"created_at": incoming.occurred_at}
    )
    with transaction.atomic():
        invoice = invoice_locked(incoming.invoice_no)
        known = Event.objects.filter(event_id=incoming.event_id).first()
        if known is not None:
            if (known.invoice_no, known.seq) != (incoming.invoice_no, incoming.seq):
                raise OutOfOrder(f"event {incoming.event_id} is known with another content")
            Event.objects.filter(pk=known.pk).update(deliveries=known.deliveries + 1)
            return False
        if invoice.last_seq and incoming.seq != invoice.last_seq + 1:
            raise OutOfOrder(f"expected seq {invoice.last_seq + 1}, got {incoming.seq}")
        _apply(invoice, incoming)
    refund_no = str(incoming.data.get("refund_no") or "")
    if (
        incoming.type == "refund_failed"
        and refund_no
        and not _taken_back(incoming.invoice_no, refund_no)
    ):
        return_release(refund_no=refund_no)
    return True


def _apply(invoice: Invoice, incoming: Incoming) -> None:
    refund_no = str(incoming.data.get("refund_no") or "")
    if not refund_no:
        _learn(invoice, incoming)
    if incoming.type == "cancelled":
        cancelled = invoice.amount_fen or 0
    elif incoming.type in RETURNED and not _taken_back(incoming.invoice_no, refund_no):
        cancelled = _fen(incoming.data, "amount_fen") or 0
    else:
        cancelled = 0
    Event.objects.create(
        event_id=incoming.event_id,
        invoice_no=incoming.invoice_no,
        seq=incoming.seq,
        type=incoming.type,
        occurred_at=incoming.occurred_at,
        data=incoming.data,
        cancelled_fen=cancelled,
        received_at=clock.now(),
    )
    invoice.last_seq = incoming.seq
    invoice.save(update_fields=["last_seq", "amount_fen", "portal_status"])


def _learn(invoice: Invoice, incoming: Incoming) -> None:
    """An invoice that another program of the HIS issued becomes known by its events."""
    if invoice.amount_fen is None:
        whole = _fen(incoming.data, "invoice_amount_fen")
        invoice.amount_fen = _fen(incoming.data, "amount_fen") if whole is None else whole
    told = incoming.data.get("status") or STATUS_AFTER.get(incoming.type)
    if told:
        invoice.portal_status = str(told)[:32]


def _taken_back(invoice_no: str, refund_no: str) -> bool:
    """Whether the goods of this return were booked as returned; the money may still be under way,
    and a refund that failed afterwards does not bring the goods back to the patient."""
    rows = Event.objects.filter(invoice_no=invoice_no, type__in=RETURNED)
    return rows.filter(data__refund_no=refund_no).exists()


def _fen(data: dict[str, Any], key: str) -> int | None:
    value = data.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
