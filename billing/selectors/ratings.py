"""Which visit may be rated: settled, on an earlier day, seen by who is asked, not rated yet."""

from __future__ import annotations

from datetime import timedelta

from billing.models import Invoice, Rating
from billing.selectors.portal_bills import bill_title
from core import clock
from patients.models import PatientAccess

ASKED_FOR = timedelta(days=14)


def rating_asked(access: list[PatientAccess]) -> tuple[int, str] | None:
    """The latest visit to ask about, as bill and title; asked from the day after, never at once."""
    today, _end = clock.day_bounds(clock.today())
    rows = Invoice.objects.filter(
        patient_id__in=[row.patient_id for row in access if row.sees],
        status__in=Invoice.PAID_ONCE,
        occurred_at__lt=today,
        occurred_at__gte=today - ASKED_FOR,
        rating=None,
    ).select_related("encounter")
    found = rows.order_by("-pk").first()
    return (found.pk, bill_title(found)) if found is not None else None


def rating_of(invoice: Invoice) -> Rating | None:
    return Rating.objects.filter(invoice=invoice).first()
