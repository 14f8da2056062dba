"""The only place where insurance takes locks.

They are taken in the one order of the house, `core.locking.LOCK_ORDER`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import connection

from core import clock
from core.locking import PreparedLock, lock_row, lock_rows
from core.review import ReviewStatus
from insurance.models import (
    Claim,
    Filing,
    InsuranceReason,
    InsuranceReview,
    InsuredVisit,
    InsurerStatement,
)

_BESIDE = ("coverage", "visit__coverage")
_claim = PreparedLock(Claim, lambda key: Claim.objects.select_related(*_BESIDE).filter(pk=key), int)
# The array is read once; a plan may run a list again after each row and lease past the limit.
_LEASE = """
UPDATE insurance_claim SET due_at = %s WHERE id = ANY(ARRAY(
  SELECT id FROM insurance_claim AS waiting WHERE due_at <= %s
  ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED))
RETURNING id
"""
_LEASE_FILINGS = _LEASE.replace("insurance_claim", "insurance_filing")


def claim_lock(claim_id: int) -> Claim:
    """The claim, locked, with its coverage and its visit beside it."""
    return _claim.row(claim_id)


def visit_lock(visit_id: int) -> InsuredVisit | None:
    """A registration, locked after its claim; None when it has been taken back."""
    rows = lock_rows(
        InsuredVisit.objects.select_related("coverage").filter(pk=visit_id, cancelled_at=None)
    )
    return rows[0] if rows else None


def review_lock(review_id: int) -> tuple[InsuranceReview, Claim] | None:
    """A case with its claim, the claim locked first; None when there is no such case."""
    claims = lock_rows(Claim.objects.select_related(*_BESIDE).filter(reviews=review_id))
    reviews = lock_rows(InsuranceReview.objects.filter(pk=review_id)) if claims else []
    return (reviews[0], claims[0]) if reviews else None


def reviews_lock(claim: Claim, reason: InsuranceReason) -> list[InsuranceReview]:
    """The open cases of a reason about a locked claim."""
    return lock_rows(
        InsuranceReview.objects.filter(claim=claim, reason_code=reason, status=ReviewStatus.OPEN)
    )


def statement_lock(statement_id: int) -> InsurerStatement:
    """One group of a day's comparison."""
    return lock_row(InsurerStatement.objects.filter(pk=statement_id))


def filing_lock(filing_id: int) -> Filing:
    """One filing at the insurer."""
    return lock_row(Filing.objects.select_related("message").filter(pk=filing_id))


def filings_lease(*, limit: int, lease_s: int) -> list[int]:
    """Due filings, passed over by other sweepers until the lease ends. One statement."""
    return _leased(_LEASE_FILINGS, limit, lease_s)


def statements_lock(statement_ids: Sequence[int]) -> list[InsurerStatement]:
    """Several groups of a day's comparison."""
    return lock_rows(InsurerStatement.objects.filter(pk__in=statement_ids))


def claims_lease(*, limit: int, lease_s: int) -> list[int]:
    """Due claims, passed over by other sweepers until the lease ends. One statement."""
    return _leased(_LEASE, limit, lease_s)


def _leased(statement: str, limit: int, lease_s: int) -> list[int]:
    now = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(statement, [now + timedelta(seconds=lease_s), now, limit])
        return [row[0] for row in cursor.fetchall()]
