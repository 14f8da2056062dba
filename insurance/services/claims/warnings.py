"""What is to be known of a claim's lines although it keeps the insurer from nothing."""

from __future__ import annotations

from insurance.models import ClaimLine
from insurance.services.claims.frozen import line_thawed
from insurance.services.preconditions import lines_check


def claim_warnings(*, claim_id: int) -> list[str]:
    """Sentences for whoever issued the bill, while the patient can still be told: a price above the
    insurer's limit is paid by the patient. Two statements, however many lines."""
    beside = ClaimLine.objects.filter(claim=claim_id).select_related("claim__institution")
    rows = list(beside.order_by("pk"))
    if not rows:
        return []
    claim = rows[0].claim
    lines = [line_thawed(row) for row in rows]
    faults = lines_check(institution=claim.institution, lines=lines, at=claim.created_at)
    return [fault.message for fault in faults if not fault.refuses]
