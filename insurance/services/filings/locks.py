"""Decisions about a filing; they are only ever touched under the filing's own lock."""

from __future__ import annotations

from core.locking import lock_rows
from core.review import ReviewStatus
from insurance.locks import filing_lock
from insurance.models import Filing, FilingDecision


def decision_lock(decision_id: int) -> tuple[FilingDecision, Filing] | None:
    """A decision with its filing, the filing locked first; None when there is no such one."""
    rows = FilingDecision.objects.filter(pk=decision_id)
    found = list(rows.values_list("filing", flat=True))
    if not found:
        return None
    filing = filing_lock(found[0])
    return lock_rows(rows)[0], filing


def decisions_open_lock(filing: Filing) -> list[FilingDecision]:
    """What waits to be decided about a locked filing."""
    return lock_rows(FilingDecision.objects.filter(filing=filing, status=ReviewStatus.OPEN))
