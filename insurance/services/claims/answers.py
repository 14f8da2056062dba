"""A claim's state as the answer of a verb."""

from __future__ import annotations

from django.utils.functional import Promise

from core.outcomes import Outcome
from insurance.gateway.envelope import UNANSWERED, UNUSABLE, sentence_refused
from insurance.models import Claim, ClaimStatus
from insurance.services.claims.values import NOT_EXECUTED, Reversed, Settled

MESSAGE_MAX = 500


def settled_now(claim: Claim, *, sentence: str | Promise = "") -> Settled:
    """How the settling of a claim stands."""
    status = str(claim.status)
    if claim.status in (ClaimStatus.SETTLED, ClaimStatus.REVERSING, ClaimStatus.REVERSED):
        return Settled(Outcome.SUCCEEDED, claim.settled_split, status=status)
    if claim.status == ClaimStatus.PRICED:
        return Settled(Outcome.DECLINED, None, NOT_EXECUTED, sentence or UNANSWERED, status)
    if claim.status in (ClaimStatus.OPEN, ClaimStatus.RELEASED):
        said = sentence or sentence_refused(claim.message)
        return Settled(Outcome.DECLINED, None, claim.code or "DECLINED", said, status)
    said = UNUSABLE if claim.status == ClaimStatus.REVIEW else sentence or UNANSWERED
    return Settled(Outcome.UNKNOWN, None, claim.code, said, status)


def reversed_now(claim: Claim, *, sentence: str | Promise = "") -> Reversed:
    """How the reversal of a claim stands."""
    status, split = str(claim.status), claim.settled_split
    if claim.status == ClaimStatus.REVERSED:
        return Reversed(Outcome.SUCCEEDED, split, status=status)
    if claim.status == ClaimStatus.SETTLED:
        said = sentence or sentence_refused(claim.message)
        return Reversed(Outcome.DECLINED, split, claim.code or NOT_EXECUTED, said, status)
    said = UNUSABLE if claim.status == ClaimStatus.REVIEW else sentence or UNANSWERED
    return Reversed(Outcome.UNKNOWN, split, claim.code, said, status)
