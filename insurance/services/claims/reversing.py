"""2208: a settlement is undone in full; there is no reversal of a part."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.states import transition
from insurance.gateway.base import Answer, Call
from insurance.gateway.claim_values import Settlement
from insurance.gateway.mobile.orders import refund
from insurance.gateway.mobile.values import MobileRefunded, SettleKind
from insurance.gateway.nhsa.settlements import settle_reverse
from insurance.locks import claim_lock
from insurance.models import Claim, ClaimRoute, ClaimStatus, InsuranceMessage
from insurance.policy import POLICY
from insurance.selectors import institution_speaking
from insurance.services.claims.answers import reversed_now
from insurance.services.claims.applying import answer_to_review, reversal_apply
from insurance.services.claims.frozen import settlement_thawed
from insurance.services.claims.looking import settlement_refunded
from insurance.services.claims.mobile.orders import (
    order_of_claim,
    refund_number,
    refund_of_claim,
)
from insurance.services.claims.releasing import claim_tidy
from insurance.services.claims.values import NOT_EXECUTED, Reversed
from insurance.services.claims.waiting import look_later, reversal_refused
from insurance.services.exchange import Prepared, message_deliver, message_prepare

NUMBER_MAX = 40


def claim_reverse(*, claim_id: int, reason: str, by: Actor) -> Reversed:
    """Undo a SETTLED claim (2208) under a new message number; see `Reversed` for the ends.

    A claim that is REVERSED answers so; one that is REVERSING is not sent again (UNKNOWN, and
    `claim_look_reversal` learns what became of it). Its lines are then taken away at the insurer,
    now or by the sweeper, so that what remains of the visit can be claimed anew. Never inside a
    transaction. Conflict in any other state.
    """
    begun = _begin(claim_id, reason, by)
    if isinstance(begun, Reversed):
        return begun
    failpoint("claim.before_reverse")
    answer = message_deliver(begun)
    failpoint("claim.after_reverse")
    after = _applied(claim_id, begun.message, answer)
    if after.outcome is Outcome.SUCCEEDED:
        claim_tidy(claim_id=claim_id)
    return after


def _begin(claim_id: int, reason: str, by: Actor) -> Prepared[Any] | Reversed:
    with transaction.atomic():
        claim = claim_lock(claim_id)
        if claim.status in (ClaimStatus.REVERSED, ClaimStatus.REVERSING):
            return reversed_now(claim)
        if claim.status != ClaimStatus.SETTLED:
            raise Conflict("claim_not_settled", _("Nothing of this claim is settled."))
        prepared = message_prepare(
            institution=institution_speaking(claim.institution_id),
            call=_call(claim),
            subject=claim.subject,
        )
        transition(
            claim,
            ClaimStatus.REVERSING,
            by=by,
            reason=reason,
            reverse_message=prepared.message,
            looks=0,
            due_at=clock.now() + timedelta(seconds=POLICY.sending_s),
        )
    return prepared


def _call(claim: Claim) -> Call[Any]:
    """2208 or, of a claim that went the mobile way, 6203 of its whole insurance."""
    if claim.route == ClaimRoute.MOBILE:
        order = order_of_claim(claim)
        refund_number(order, failed=claim.code not in ("", NOT_EXECUTED))
        return refund(refund_of_claim(claim, order, SettleKind.FUND))
    visit = claim.visit
    assert visit is not None and claim.settled is not None
    original = settlement_thawed(claim.settled, person_no=visit.coverage.person_no)
    return settle_reverse(original, insured_area=visit.coverage.insured_area)


def _number(made: Settlement | MobileRefunded) -> str:
    if isinstance(made, MobileRefunded):
        return (made.fund_no or made.refund_no)[:NUMBER_MAX]
    return made.settlement_no


def _applied(claim_id: int, asked: InsuranceMessage, answer: Answer[Any]) -> Reversed:
    if answer.outcome is Outcome.SUCCEEDED:
        return reversed_now(reversal_apply(claim_id=claim_id, reversal_no=_number(answer.known)))
    if answer.outcome is Outcome.DECLINED:
        return _declined(claim_id, asked, answer)
    if answer.fault is not None and answer.executed:
        return reversed_now(answer_to_review(claim_id=claim_id, answer=answer))
    if answer.executed is False:
        after = reversal_refused(claim_id, asked, NOT_EXECUTED)
        return reversed_now(after, sentence=answer.sentence)
    return reversed_now(look_later(claim_id=claim_id, answer=answer), sentence=answer.sentence)


def _declined(claim_id: int, asked: InsuranceMessage, answer: Answer[Any]) -> Reversed:
    """The insurer's no may mean "undone already", by a 2208 that was thought lost."""
    claim = Claim.objects.select_related("visit__coverage").get(pk=claim_id)
    found = settlement_refunded(claim)
    if found.outcome is not Outcome.SUCCEEDED:
        return reversed_now(look_later(claim_id=claim_id, answer=found), sentence=answer.sentence)
    if found.value:
        return reversed_now(reversal_apply(claim_id=claim_id, reversal_no=""))
    after = reversal_refused(claim_id, asked, answer.code, answer.message)
    return reversed_now(after, sentence=answer.sentence)
