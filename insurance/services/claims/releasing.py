"""A claim ends without a settlement, and what it left at the insurer is taken away (2205, 2202)."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.states import transition
from insurance.gateway.base import Answer
from insurance.gateway.envelope import UNANSWERED
from insurance.gateway.mobile.orders import revoke
from insurance.gateway.nhsa.lines import lines_cancel
from insurance.gateway.nhsa.visits import register_cancel
from insurance.locks import claim_lock, visit_lock
from insurance.models import Claim, ClaimRoute, ClaimStatus, InsuredVisit, MobileOrder
from insurance.policy import POLICY
from insurance.selectors import institution_speaking
from insurance.services.claims.applying import settlement_apply
from insurance.services.claims.asking import insurer_ask
from insurance.services.claims.batches import batch_of
from insurance.services.claims.mobile.orders import may_be_settled, reference_of_order
from insurance.services.claims.orders import standing_find
from insurance.services.claims.speaking import PRICEABLE, fields_write
from insurance.services.claims.values import Released
from insurance.services.claims.visits import visit_wire


def claim_release(*, claim_id: int, by: Actor) -> Released:
    """End an OPEN or PRICED claim without a settlement; see `Released` for the ends.

    If no settlement was ever sent, nor a 6202 that nobody has heard of since, the claim is RELEASED
    at once, whether the insurer answers or not: what lies there owes nothing and is taken away by
    the sweeper. If one was sent and thought lost, the insurer must first say that none stands. A
    RELEASED or REVERSED claim answers so.
    Conflict while it is SETTLING, REVERSING or in REVIEW. Never inside a transaction.
    """
    begun = _begin(claim_id, by)
    if isinstance(begun, Released):
        return begun
    if begun.status in PRICEABLE:
        ended = _release_asking(begun, by)
        if ended is not None:
            return ended
    claim_tidy(claim_id=claim_id)
    return Released(Outcome.SUCCEEDED, status=ClaimStatus.RELEASED)


def claim_tidy(*, claim_id: int) -> None:
    """Take away what an ended claim left at the insurer; asked again later where it is silent.

    It owes nothing, so after a day it is left alone.
    """
    claim = Claim.objects.select_related("visit__coverage", "encounter").get(pk=claim_id)
    if claim.status not in (ClaimStatus.RELEASED, ClaimStatus.REVERSED) or claim.due_at is None:
        return
    done = _lines_away(claim) and _visit_away(claim)
    with transaction.atomic():
        claim = claim_lock(claim_id)
        old = clock.now() - claim.created_at > timedelta(seconds=POLICY.tidy_ends_s)
        again = clock.now() + timedelta(seconds=POLICY.tidy_every_s)
        fields_write(claim, due_at=None if done or old else again)


def _begin(claim_id: int, by: Actor) -> Claim | Released:
    with transaction.atomic():
        claim = claim_lock(claim_id)
        if claim.status in (ClaimStatus.RELEASED, ClaimStatus.REVERSED):
            return Released(Outcome.SUCCEEDED, status=str(claim.status))
        if claim.status == ClaimStatus.SETTLED:
            return Released(
                Outcome.DECLINED,
                "SETTLED",
                _("The insurer has settled this bill; that must be reversed."),
                str(claim.status),
            )
        if claim.status not in PRICEABLE:
            raise Conflict("claim_in_doubt", _("What the insurer did is not known yet."))
        if claim.settle_tries == 0 and not _maybe_settled(claim):
            claim_released(claim, by)
        else:
            due = clock.now() + timedelta(seconds=POLICY.tidy_every_s)
            fields_write(claim, releasing=True, attempt=claim.attempt + 1, due_at=due)
    failpoint("claim.after_release_begun")
    return claim


def _maybe_settled(claim: Claim) -> bool:
    """On the phone's route 6202 may have settled a bill without cash."""
    if claim.route != ClaimRoute.MOBILE:
        return False
    order = MobileOrder.objects.filter(claim=claim).first()
    return order is not None and may_be_settled(claim, order)


def claim_released(claim: Claim, by: Actor) -> None:
    """A locked claim ends with no settlement; what lies at the insurer is taken away next."""
    transition(
        claim,
        ClaimStatus.RELEASED,
        by=by,
        releasing=False,
        attempt=claim.attempt + 1,
        due_at=clock.now() if claim.lines_sent or claim.visit_id else None,
    )


def _release_asking(claim: Claim, by: Actor) -> Released | None:
    """A 2207 was sent once: nothing ends before the lines are gone and no settlement stands."""
    if not _lines_away(claim):
        return _unanswered(claim)
    found = standing_find(claim)
    if found.settlement is not None:
        after = settlement_apply(claim_id=claim.pk, said=found.settlement)
        return Released(Outcome.DECLINED, "SETTLED", "", str(after.status))
    if not found.known:
        return _unanswered(claim)
    with transaction.atomic():
        locked = claim_lock(claim.pk)
        if locked.status in PRICEABLE:
            claim_released(locked, by)
    return None


def _unanswered(claim: Claim) -> Released:
    return Released(Outcome.UNKNOWN, "NO_ANSWER", UNANSWERED, str(claim.status))


def _lines_away(claim: Claim) -> bool:
    """2205, safe to repeat; a refusal means that none lies there, or that they are settled."""
    if not claim.lines_sent:
        return True
    answer = _order_away(claim) or insurer_ask(claim, lines_cancel(batch_of(claim)))
    failpoint("claim.after_lines_away")
    if answer.outcome not in (Outcome.SUCCEEDED, Outcome.DECLINED):
        return False
    with transaction.atomic():
        locked = claim_lock(claim.pk)
        fields_write(locked, lines_sent=False)
    return True


def _order_away(claim: Claim) -> Answer[bool] | None:
    """6401 for lines that lie under an order at the centre; None where it does not take them away,
    as of an order that it has ended itself."""
    order = MobileOrder.objects.filter(claim=claim).exclude(pay_order_no="").first()
    if claim.route != ClaimRoute.MOBILE or claim.settlement_no or order is None:
        return None
    institution = institution_speaking(claim.institution_id)
    answer = insurer_ask(claim, revoke(reference_of_order(claim, order, institution)))
    return None if answer.outcome is Outcome.DECLINED else answer


def _visit_away(claim: Claim) -> bool:
    """2202, when the registration is ours and no other claim uses it; safe to repeat."""
    if claim.status != ClaimStatus.RELEASED or claim.visit_id is None:
        return True
    visit = _visit_left(claim)
    if visit is None or not visit.mdtrt_id:
        return True
    answer = insurer_ask(claim, register_cancel(visit_wire(claim, visit)))
    failpoint("claim.after_visit_away")
    return answer.outcome in (Outcome.SUCCEEDED, Outcome.DECLINED)


def _visit_left(claim: Claim) -> InsuredVisit | None:
    """The visit, given up before it is taken back, so that no new claim begins on it."""
    assert claim.visit is not None
    if claim.visit.by_his:
        return None
    if claim.visit.cancelled_at is not None:
        return claim.visit
    with transaction.atomic():
        claim_lock(claim.pk)
        visit = visit_lock(claim.visit.pk)
        others = Claim.objects.filter(visit=claim.visit).exclude(status=ClaimStatus.RELEASED)
        if visit is None or others.exists():
            return None
        visit.cancelled_at = clock.now()
        visit.save(update_fields=["cancelled_at"])
    return visit
