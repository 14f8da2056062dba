"""Events as the HIS reads them by paging."""

from __future__ import annotations

from typing import Any

from billing.models import EventType, HisEvent
from billing.reasons import reason_of
from billing.selectors.pay_links import action_shown
from core import clock
from patients.models import HisClient

PAGE_MAX = 500


def events_page(*, client: HisClient, after: int, limit: int) -> dict[str, Any]:
    """Published events of this client after an id; `next` is where to read on."""
    rows = (
        HisEvent.objects.filter(client=client, event_id__gt=after)
        .select_related("invoice")
        .order_by("event_id")[: min(limit, PAGE_MAX)]
    )
    events = [event_body(row) for row in rows]
    return {"events": events, "next": events[-1]["event_id"] if events else after}


def event_body(row: HisEvent) -> dict[str, Any]:
    """One event; the push sends the same."""
    return {
        "event_id": row.event_id,
        "invoice_no": row.invoice.invoice_no,
        "seq": row.seq,
        "type": row.type,
        "occurred_at": row.occurred_at.astimezone(clock.ZONE).isoformat(),
        "data": _data(row),
    }


def _data(row: HisEvent) -> dict[str, Any]:
    """What the event tells; the address of a pay link is not kept in it but filled in here, and a
    channel's code is told by the portal's word for it."""
    data: dict[str, Any] = dict(row.data)
    if data.get("action") is not None:
        data["action"] = action_shown(row.invoice, data["action"])
    if row.type in (EventType.DECLINED, EventType.ACTION_REQUIRED):
        data["reason"] = reason_of(str(data.get("reason") or ""))
    return data
