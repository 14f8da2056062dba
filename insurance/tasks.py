"""What the beat does for insurance."""

from __future__ import annotations

from datetime import time

from core import clock
from insurance.models import Institution
from insurance.services.credentials import credentials_forget
from insurance.services.filings import filing_look, filings_due
from insurance.services.statements import day_compare, days_due

NOT_BEFORE = time(1, 0)
FILINGS_AT_ONCE = 20


def forget_credentials() -> int:
    """Empty the proofs of visits that are over; the job of the schedule."""
    return credentials_forget()


def sweep_filings() -> int:
    """Ask what became of filings whose answer did not come; the job of the schedule."""
    due = filings_due(limit=FILINGS_AT_ONCE)
    for filing_id in due:
        filing_look(filing_id=filing_id)
    return len(due)


def compare_statements() -> int:
    """Compare every past day of every institution that is not settled yet; the job of the schedule.

    The insurer closes its own day after midnight, so that yesterday is not asked about before.
    """
    if clock.now().time() < NOT_BEFORE:
        return 0
    places = Institution.objects.filter(active=True, region__active=True)
    places = places.exclude(campus__institution_code="").select_related("campus", "region")
    compared = 0
    for place in places.order_by("pk"):
        for day in days_due(place):
            day_compare(institution_id=place.pk, day=day)
            compared += 1
    return compared
