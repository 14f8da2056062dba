"""After a lost answer: ask what stands (5203), adopt it, or end the call by its number (2601)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.errors import Conflict
from core.failpoints import failpoint
from core.outcomes import Outcome
from insurance.gateway.base import Answer
from insurance.gateway.claim_values import Reversal
from insurance.gateway.nhsa.settlements import reverse, settle_query
from insurance.models import Claim, ClaimRoute, ClaimStatus, InsuranceMessage
from insurance.services.claims.answers import reversed_now, settled_now
from insurance.services.claims.applying import (
    answer_to_review,
    reversal_apply,
    settlement_apply,
)
from insurance.services.claims.asking import insurer_ask
from insurance.services.claims.mobile.looking import mobile_look, mobile_look_reversal
from insurance.services.claims.orders import reference_of, standing_find
from insurance.services.claims.values import NOT_EXECUTED, Reversed, Settled
from insurance.services.claims.waiting import (
    look_later,
    not_executed,
    reversal_refused,
    settlement_refused,
    still_sent,
)

SETTLE_CODE, REVERSE_CODE = "2207", "2208"


def claim_look(*, claim_id: int) -> Settled:
    """Learn what became of a 2207 whose answer did not come; see `Settled` for the ends.

    5203 first: what stands is adopted. Else 2601 under the stored number: reversed or nothing to
    reverse, and the claim is PRICED again (NOT_EXECUTED). While the insurer says neither, it stays
    SETTLING with a later `due_at`, and after a time a person is told. A send that another process
    may still be making is left alone for `sending_s`. In any other state the answer is that state.
    On the mobile route 6301 says how the order stands that the wallet was given.
    Never inside a transaction.
    """
    claim = _claim(claim_id)
    if claim.status in (ClaimStatus.REVERSING, ClaimStatus.REVERSED):
        raise Conflict("claim_reversing", _("This claim is being reversed."))
    message = claim.settle_message
    if claim.status != ClaimStatus.SETTLING or message is None or still_sent(message):
        return settled_now(claim)
    if claim.route == ClaimRoute.MOBILE:
        return settled_now(mobile_look(claim))
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
    if claim.status != ClaimStatus.REVERSING or message is None or still_sent(message):
        return reversed_now(claim)
    if claim.route == ClaimRoute.MOBILE:
        return reversed_now(mobile_look_reversal(claim))
    answer = settlement_refunded(claim)
    failpoint("claim.after_reversal_query")
    return reversed_now(_reversal_learnt(claim, message, answer))


def _reversal_learnt(claim: Claim, message: InsuranceMessage, answer: Answer[bool]) -> Claim:
    if answer.fault is not None and answer.executed:
        return answer_to_review(claim_id=claim.pk, answer=answer)
    if answer.outcome is not Outcome.SUCCEEDED:
        return look_later(claim_id=claim.pk, answer=answer)
    if answer.value:
        return reversal_apply(claim_id=claim.pk, reversal_no="")
    ended = _end(claim, message, REVERSE_CODE)
    if ended.outcome is not Outcome.SUCCEEDED:
        return look_later(claim_id=claim.pk, answer=ended)
    return reversal_refused(claim.pk, message, NOT_EXECUTED)


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


def _claim(claim_id: int) -> Claim:
    return Claim.objects.select_related(
        "visit__coverage", "settle_message", "reverse_message", "patient"
    ).get(pk=claim_id)


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
