"""What only a person can decide about a claim: opened once, decided by look-again or undo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import SYSTEM, Actor
from core.errors import Conflict, NotFound
from core.review import ReviewStatus, review_decide
from core.states import transition
from insurance.gateway.base import GatewayFault
from insurance.gateway.identities import IdentityBroken, OutOfRange
from insurance.gateway.reading import Different, UnknownCode
from insurance.locks import review_lock, reviews_lock
from insurance.models import Claim, ClaimStatus, InsuranceReason, InsuranceReview
from insurance.services.claims.values import Decision

SUMMARY_MAX, CODE_MAX = 500, 64


def reason_of(fault: GatewayFault) -> InsuranceReason:
    """Why an answer cannot be believed."""
    if isinstance(fault, IdentityBroken | OutOfRange):
        return InsuranceReason.SPLIT_BROKEN
    if isinstance(fault, UnknownCode):
        return InsuranceReason.UNKNOWN_CODE
    if isinstance(fault, Different):
        return InsuranceReason.OTHER_ANSWER
    return InsuranceReason.UNREADABLE


def review_open(
    claim: Claim, reason: InsuranceReason, words: str = "", **figures: Any
) -> InsuranceReview:
    """The open case of this reason about a locked claim, opened now if there is none."""
    known = InsuranceReview.objects.filter(
        claim=claim, reason_code=reason, status=ReviewStatus.OPEN
    ).first()
    if known is not None:
        return known
    return InsuranceReview.objects.create(
        claim=claim,
        reason_code=reason,
        summary=words[:SUMMARY_MAX] or str(reason.label),
        figures=dict(figures),
        opened_by=SYSTEM.key,
        opened_at=clock.now(),
    )


def claim_to_review(claim: Claim, reason: InsuranceReason, words: str = "", **figures: Any) -> None:
    """Stop a locked claim until a person decides; nothing of the answer enters our books."""
    if claim.status != ClaimStatus.REVIEW:
        transition(
            claim,
            ClaimStatus.REVIEW,
            by=SYSTEM,
            reason=words,
            due_at=None,
            code=str(reason)[:CODE_MAX],
            message=words[:SUMMARY_MAX],
        )
    review_open(claim, reason, words, **figures)


def review_withdraw(claim: Claim) -> None:
    """What time alone has answered is no question any more. The claim is locked."""
    for review in reviews_lock(claim, InsuranceReason.NOT_ENDED):
        review_decide(review=review, to=ReviewStatus.WITHDRAWN, by=SYSTEM)


def claim_review_decide(
    *, review_id: int, decision: Decision, by: Actor, comment: str = ""
) -> Claim:
    """A person other than the opener decides; the sweeper does what was decided at once."""
    with transaction.atomic():
        found = review_lock(review_id)
        if found is None:
            raise NotFound("unknown_review", _("There is no such case."))
        review, claim = found
        review_decide(review=review, to=ReviewStatus.APPROVED, by=by, comment=comment)
        if claim.status != ClaimStatus.REVIEW:
            return claim  # it ended meanwhile, or the case was about a claim that goes on
        if claim.reviews.filter(status=ReviewStatus.OPEN).exists():
            return claim  # another question about it is still open
        to, fields = _after(claim, decision)
        transition(claim, to, by=by, reason=comment, **fields)
    return claim


def _after(claim: Claim, decision: Decision) -> tuple[ClaimStatus, Mapping[str, Any]]:
    """Where a claim goes on: at what had been said to the insurer when it stopped."""
    now = clock.now()
    if claim.settlement_no and claim.reverse_message_id is not None:
        if decision is Decision.UNDO:
            raise Conflict(
                "not_undone", _("A settlement that stands is reversed, it cannot be undone.")
            )
        return ClaimStatus.REVERSING, {"due_at": now}
    if claim.settle_message_id is not None and not claim.settlement_no:
        undoing = decision is Decision.UNDO
        return ClaimStatus.SETTLING, {"due_at": now, "undoing": undoing}
    return ClaimStatus.OPEN, {"due_at": None}
