"""The HIS's own books and what its console shows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, Sum

from sandbox.his.models import Event, Invoice, Visit
from sandbox.world.registry import PAGE, Book

HOSPITAL = "hospital"


def books(start: datetime | None, end: datetime | None) -> dict[str, Book]:
    """Charged: invoices the HIS knows; cancelled: what their events took off again."""
    invoices = Invoice.objects.filter(amount_fen__isnull=False)
    taken_off = Event.objects.filter(cancelled_fen__gt=0)
    if start is not None:
        invoices = invoices.filter(created_at__gte=start)
        taken_off = taken_off.filter(occurred_at__gte=start)
    if end is not None:
        invoices = invoices.filter(created_at__lt=end)
        taken_off = taken_off.filter(occurred_at__lt=end)
    charged = invoices.aggregate(count=Count("pk"), fen=Sum("amount_fen", default=0))
    cancelled = taken_off.aggregate(count=Count("pk"), fen=Sum("cancelled_fen", default=0))
    return {HOSPITAL: {"charged": charged, "cancelled": cancelled}}


def transactions(since: datetime | None, page: int) -> list[dict[str, Any]]:
    rows = Invoice.objects.order_by("pk").select_related("visit")
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    listed = rows[(page - 1) * PAGE : page * PAGE]
    taken_off = dict(
        Event.objects.filter(invoice_no__in=[row.invoice_no for row in listed])
        .values_list("invoice_no")
        .annotate(fen=Sum("cancelled_fen"))
        .order_by()
    )
    return [
        {
            "number": row.invoice_no,
            "own_number": row.visit.encounter_no if row.visit else "",
            "status": row.portal_status,
            "amount_fen": row.amount_fen,
            "moved_fen": (row.amount_fen or 0) - taken_off.get(row.invoice_no, 0),
            "parent": "",
            "notices": row.last_seq,
            "at": row.created_at.isoformat(),
        }
        for row in listed
    ]


def visits_recent() -> list[Visit]:
    return list(Visit.objects.order_by("-pk").prefetch_related("invoices", "charges")[:12])


def events_of(visit: Visit) -> list[Event]:
    numbers = visit.invoices.values_list("invoice_no", flat=True)
    return list(Event.objects.filter(invoice_no__in=numbers).order_by("pk"))


def events_recent() -> list[Event]:
    return list(Event.objects.order_by("-pk")[:30])
