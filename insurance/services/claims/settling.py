"""2207: the intent is committed with the state that says "asked", then it is sent, once."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import SYSTEM
from core.errors import Conflict
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.states import transition
from insurance.gateway.base import Answer
from insurance.gateway.claim_values import Scope, Settlement
from insurance.gateway.nhsa.settlements import settle
from insurance.locks import claim_lock
from insurance.models import Claim, ClaimRoute, ClaimStatus, InsuranceMessage
from insurance.policy import POLICY
from insurance.selectors import institution_speaking
from insurance.services.claims.answers import settled_now
from insurance.services.claims.applying import answer_to_review, settlement_apply
from insurance.services.claims.orders import order_of, standing_find
from insurance.services.claims.values import Settled
from insurance.services.claims.waiting import look_later, not_executed, settlement_refused
from insurance.services.exchange import Prepared, message_deliver, message_prepare


def claim_settle(*, claim_id: int) -> Settled:
    """Settle a PRICED claim (2207) under a new message number; see `Settled` for the ends.

    A claim that is SETTLED already answers so. One that is SETTLING is not sent again: UNKNOWN,
    and `claim_look` learns what became of it. The age of the trial is no reason to refuse: a tender
    that began in time may end after it. Never inside a transaction. Conflict in any other state.
    """
    begun = _begin(claim_id)
    if isinstance(begun, Settled):
        return begun
    failpoint("claim.before_settle")
    answer = message_deliver(begun)
    failpoint("claim.after_settle")
    return _applied(claim_id, begun.message, answer)


def _begin(claim_id: int) -> Prepared[Settlement] | Settled:
    with transaction.atomic():
        claim = claim_lock(claim_id)
        if claim.status in (ClaimStatus.SETTLED, ClaimStatus.SETTLING, ClaimStatus.REVIEW):
            return settled_now(claim)
        if claim.route != ClaimRoute.FSI:
            raise Conflict("other_route", _("This claim goes through the mobile-pay centre."))
        if claim.status != ClaimStatus.PRICED or claim.releasing:
            raise Conflict("claim_not_priced", _("This claim has no price that holds."))
        visit = claim.visit
        assert visit is not None and claim.priced is not None
        if not visit.held:
            # The day is over and the proof with it; the patient shows the code again.
            transition(claim, ClaimStatus.OPEN, by=SYSTEM, code="NO_CREDENTIAL")
            return settled_now(claim)
        prepared = message_prepare(
            institution=institution_speaking(claim.institution_id),
            call=settle(order_of(claim), Scope(**claim.priced["scope"])),
            subject=claim.subject,
        )
        transition(
            claim,
            ClaimStatus.SETTLING,
            by=SYSTEM,
            settle_message=prepared.message,
            settle_tries=claim.settle_tries + 1,
            looks=0,
            due_at=clock.now() + timedelta(seconds=POLICY.sending_s),
        )
    return prepared


def _applied(claim_id: int, asked: InsuranceMessage, answer: Answer[Settlement]) -> Settled:
    if answer.outcome is Outcome.SUCCEEDED:
        return settled_now(settlement_apply(claim_id=claim_id, said=answer.known))
    if answer.outcome is Outcome.DECLINED:
        return _declined(claim_id, asked, answer)
    if answer.fault is not None and answer.executed:
        return settled_now(answer_to_review(claim_id=claim_id, answer=answer))
    if answer.executed is False:
        return settled_now(not_executed(claim_id, asked), sentence=answer.sentence)
    return settled_now(look_later(claim_id=claim_id, answer=answer), sentence=answer.sentence)


def _declined(claim_id: int, asked: InsuranceMessage, answer: Answer[Settlement]) -> Settled:
    """The insurer's no. After an earlier try it may mean "settled already": that one is adopted."""
    claim = Claim.objects.select_related("visit__coverage").get(pk=claim_id)
    if claim.settle_tries > 1:
        found = standing_find(claim)
        if found.settlement is not None:
            return settled_now(settlement_apply(claim_id=claim_id, said=found.settlement))
        if not found.known:
            return settled_now(
                look_later(claim_id=claim_id, answer=found.answer), sentence=answer.sentence
            )
    after = settlement_refused(claim_id, asked, answer.code, answer.message)
    return settled_now(after, sentence=answer.sentence)
