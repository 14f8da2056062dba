"""A claim whose call was not answered waits: asked again later, or back to before the call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from core import clock
from core.actors import SYSTEM
from core.failpoints import failpoint
from core.states import transition
from insurance.gateway.base import Answer
from insurance.locks import claim_lock
from insurance.models import (
    Claim,
    ClaimStatus,
    InsuranceMessage,
    InsuranceReason,
    InsuranceReply,
)
from insurance.policy import POLICY
from insurance.services.claims.answers import MESSAGE_MAX
from insurance.services.claims.reviews import review_open, review_withdraw
from insurance.services.claims.speaking import CODE_MAX, fields_write
from insurance.services.claims.values import NOT_EXECUTED


def look_later(*, claim_id: int, answer: Answer[Any]) -> Claim:
    """Nothing is known yet: when to look again, and after a time a person is told."""
    with transaction.atomic():
        claim = claim_lock(claim_id)
        if claim.status not in Claim.IN_DOUBT:
            return claim
        asked = (
            claim.settle_message if claim.status == ClaimStatus.SETTLING else claim.reverse_message
        )
        assert asked is not None
        age = (clock.now() - asked.created_at).total_seconds()
        fields_write(
            claim,
            looks=claim.looks + 1,
            due_at=clock.now() + timedelta(seconds=look_pause(age, claim.looks)),
            code=answer.code[:CODE_MAX],
            message=answer.message[:MESSAGE_MAX],
        )
        if age >= POLICY.slow_after_s:
            review_open(claim, InsuranceReason.NOT_ENDED, message_no=asked.message_no)
    return claim


def not_executed(claim_id: int, asked: InsuranceMessage) -> Claim:
    """The 2207 never happened, or was ended: the trial holds, it may be settled once more."""
    return _back(claim_id, asked, ClaimStatus.PRICED, NOT_EXECUTED)


def settlement_refused(
    claim_id: int, asked: InsuranceMessage, code: str, message: str = ""
) -> Claim:
    """The insurer said no, so its trial is not good any more either."""
    return _back(claim_id, asked, ClaimStatus.OPEN, code, message)


def reversal_refused(claim_id: int, asked: InsuranceMessage, code: str, message: str = "") -> Claim:
    """The settlement stands."""
    return _back(claim_id, asked, ClaimStatus.SETTLED, code, message)


def _back(
    claim_id: int, asked: InsuranceMessage, to: ClaimStatus, code: str, message: str = ""
) -> Claim:
    """Back to before the message that was asked about, unless a later one is under way."""
    with transaction.atomic():
        claim = claim_lock(claim_id)
        under_way = {
            ClaimStatus.SETTLING: claim.settle_message_id,
            ClaimStatus.REVERSING: claim.reverse_message_id,
        }
        if under_way.get(ClaimStatus(claim.status)) == asked.pk:
            if claim.looks:
                review_withdraw(claim)
            transition(
                claim,
                to,
                by=SYSTEM,
                reason=message[:MESSAGE_MAX],
                due_at=None,
                looks=0,
                undoing=False,
                code=code[:CODE_MAX],
                message=message[:MESSAGE_MAX],
            )
    failpoint("claim.after_back")
    return claim


def still_sent(message: InsuranceMessage) -> bool:
    """No reply yet and young: another process is at it, and must not be ended under its hands."""
    age = (clock.now() - message.created_at).total_seconds()
    if age >= POLICY.sending_s:
        return False
    return not InsuranceReply.objects.filter(message=message).exists()


def look_pause(age: float, looks: int) -> int:
    """Seconds to the next look: soon after the send, rarely when it has taken long."""
    if age >= POLICY.slow_after_s:
        return POLICY.slow_every_s
    ahead = [at - age for at in POLICY.look_at_s[looks:] if at > age]
    return max(1, round(ahead[0])) if ahead else POLICY.look_every_s
