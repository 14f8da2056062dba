"""After a lost answer: ask what stands (5203), adopt it, or end the call by its number (2601)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import SYSTEM
from core.errors import Conflict
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.states import transition
from insurance.gateway.base import Answer
from insurance.gateway.claim_values import Reversal
from insurance.gateway.nhsa.settlements import reverse, settle_query
from insurance.locks import claim_lock
from insurance.models import (
    Claim,
    ClaimStatus,
    InsuranceMessage,
    InsuranceReason,
    InsuranceReply,
)
from insurance.policy import POLICY
from insurance.services.claims.answers import MESSAGE_MAX, reversed_now, settled_now
from insurance.services.claims.applying import (
    answer_to_review,
    reversal_apply,
    settlement_apply,
)
from insurance.services.claims.asking import insurer_ask
from insurance.services.claims.orders import reference_of, standing_find
from insurance.services.claims.reviews import review_open, review_withdraw
from insurance.services.claims.speaking import CODE_MAX, fields_write
from insurance.services.claims.values import NOT_EXECUTED, Reversed, Settled

SETTLE_CODE, REVERSE_CODE = "2207", "2208"


def claim_look(*, claim_id: int) -> Settled:
    """Learn what became of a 2207 whose answer did not come; see `Settled` for the ends.

    5203 first: what stands is adopted. Else 2601 under the stored number: reversed or nothing to
    reverse, and the claim is PRICED again (NOT_EXECUTED). While the insurer says neither, it stays
    SETTLING with a later `due_at`, and after a time a person is told. A send that another process
    may still be making is left alone for `sending_s`. In any other state the answer is that state.
    Never inside a transaction.
    """
    claim = _claim(claim_id)
    if claim.status in (ClaimStatus.REVERSING, ClaimStatus.REVERSED):
        raise Conflict("claim_reversing", _("This claim is being reversed."))
    message = claim.settle_message
    if claim.status != ClaimStatus.SETTLING or message is None or _still_sent(message):
        return settled_now(claim)
    asked = None if claim.undoing else _query(claim)
    if asked is not None:
        return settled_now(asked)
    ended = _end(claim, message, SETTLE_CODE)
    if ended.outcome is not Outcome.SUCCEEDED:
        return settled_now(look_later(claim_id=claim_id, answer=ended))
    if claim.undoing:
        return settled_now(settlement_refused(claim_id, message, "UNDONE"))
    return settled_now(not_executed(claim_id, message))


def _query(claim: Claim) -> Claim | None:
    """5203: the claim after what it said; None when it says that no settlement of it stands."""
    found = standing_find(claim)
    failpoint("claim.after_query")
    if found.settlement is not None:
        return settlement_apply(claim_id=claim.pk, said=found.settlement)
    if found.answer.fault is not None and found.answer.executed:
        return answer_to_review(claim_id=claim.pk, answer=found.answer)
    return None if found.known else look_later(claim_id=claim.pk, answer=found.answer)


def claim_look_reversal(*, claim_id: int) -> Reversed:
    """Learn what became of a 2208 whose answer did not come; see `Reversed` for the ends.

    5203 says whether the settlement is refunded. If not, 2601 ends whatever of the 2208 may still
    be on its way, and the claim is SETTLED again (NOT_EXECUTED). Never inside a transaction.
    """
    claim = _claim(claim_id)
    message = claim.reverse_message
    if claim.status != ClaimStatus.REVERSING or message is None or _still_sent(message):
        return reversed_now(claim)
    answer = settlement_refunded(claim)
    failpoint("claim.after_reversal_query")
    if answer.fault is not None and answer.executed:
        return reversed_now(answer_to_review(claim_id=claim_id, answer=answer))
    if answer.outcome is not Outcome.SUCCEEDED:
        return reversed_now(look_later(claim_id=claim_id, answer=answer))
    if answer.value:
        return reversed_now(reversal_apply(claim_id=claim_id, reversal_no=""))
    ended = _end(claim, message, REVERSE_CODE)
    if ended.outcome is not Outcome.SUCCEEDED:
        return reversed_now(look_later(claim_id=claim_id, answer=ended))
    return reversed_now(reversal_refused(claim_id, message, NOT_EXECUTED))


def settlement_refunded(claim: Claim) -> Answer[bool]:
    """5203 by number: whether the settlement of a claim is undone; UNKNOWN when it is not said."""
    answer = insurer_ask(claim, settle_query(reference_of(claim, claim.settlement_no)))
    row = next(
        (one for one in answer.value or () if one.settlement_no == claim.settlement_no), None
    )
    if row is None:
        # That a settlement we hold is not known at all is no proof that it was undone.
        outcome = Outcome.UNKNOWN
        return Answer(outcome, answer.code, answer.message, answer.sentence,
                      executed=answer.executed, fault=answer.fault)  # fmt: skip
    return Answer(Outcome.SUCCEEDED, answer.code, value=row.refunded)


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
            due_at=clock.now() + timedelta(seconds=_pause(age, claim.looks)),
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


def _claim(claim_id: int) -> Claim:
    return Claim.objects.select_related("visit__coverage", "settle_message", "reverse_message").get(
        pk=claim_id
    )


def _still_sent(message: InsuranceMessage) -> bool:
    """No reply yet and young: another process is at it, and must not be ended under its hands."""
    age = (clock.now() - message.created_at).total_seconds()
    if age >= POLICY.sending_s:
        return False
    return not InsuranceReply.objects.filter(message=message).exists()


def _end(claim: Claim, message: InsuranceMessage, code: str) -> Answer[Reversal]:
    """2601 by the stored number."""
    assert claim.visit is not None
    coverage = claim.visit.coverage
    call = reverse(
        coverage.person_no,
        message_no=message.message_no,
        code=code,
        insured_area=coverage.insured_area,
    )
    answer = insurer_ask(claim, call)
    failpoint("claim.after_end")
    return answer


def _pause(age: float, looks: int) -> int:
    """Seconds to the next look: soon after the send, rarely when it has taken long."""
    if age >= POLICY.slow_after_s:
        return POLICY.slow_every_s
    ahead = [at - age for at in POLICY.look_at_s[looks:] if at > age]
    return max(1, round(ahead[0])) if ahead else POLICY.look_every_s
