"""What the insurer would pay: person, coverage, visit, lines, trial, each kept before the next."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import SYSTEM
from core.errors import Conflict
from core.failpoints import failpoint
from core.prepared import PreparedQuery
from core.states import transition
from insurance.gateway.claim_values import LineResult
from insurance.gateway.identities import IdentityBroken, lines_check
from insurance.gateway.nhsa.settlements import presettle
from insurance.locks import claim_lock
from insurance.models import Claim, ClaimRoute, ClaimStatus, InsuranceReason
from insurance.selectors import institution_speaking, site_of
from insurance.services.claims.batches import batch_remove, batch_settle
from insurance.services.claims.families import family_settle
from insurance.services.claims.mobile.pricing import mobile_over, mobile_trial
from insurance.services.claims.orders import order_of, standing_find
from insurance.services.claims.persons import coverage_settle
from insurance.services.claims.speaking import PRICEABLE, Pricing, PricingEnded, fields_write
from insurance.services.claims.trials import priced_now, trial_keep
from insurance.services.claims.values import OVERTAKEN, Priced, PricedState
from insurance.services.claims.visits import visit_settle
from insurance.services.sessions import session_open
from patients.models import Encounter

_encounter = PreparedQuery(
    lambda key: Encounter.objects.select_related("patient").filter(pk=key), int
)


def claim_price(*, claim_id: int) -> Priced:
    """The trial of a claim (2206), whatever of the way to it is still to be gone.

    A trial that still holds is answered as it is; one that has run out is asked for anew. Called
    again after UNKNOWN, or after the process was killed, it goes on where it stopped. The claim
    stays OPEN (or PRICED with an expired trial) after everything but PRICED and REVIEW. On the
    mobile route the trial is the centre's (6201, 6202), and an expired one is REFUSED with code
    MOBILE_OVER: its consent is used up. Never inside a transaction. Conflict where the claim is
    past pricing.
    """
    begun = _begin(claim_id)
    if isinstance(begun, Priced):
        return begun
    try:
        _sign_in(begun)
        _proof_check(begun)
        credential = coverage_settle(begun)
        visit_settle(begun, credential)
        if begun.claim.route == ClaimRoute.MOBILE:
            return mobile_trial(begun)
        family_settle(begun)
        results = batch_settle(begun)
        return _trial(begun, results)
    except PricingEnded as ended:
        return _late(begun, ended.priced)


def _begin(claim_id: int) -> Pricing | Priced:
    with transaction.atomic():
        claim = claim_lock(claim_id)
        if claim.status == ClaimStatus.REVIEW:
            return Priced(PricedState.REVIEW, code=claim.code, sentence=claim.message)
        if claim.status not in PRICEABLE or claim.releasing:
            raise Conflict("claim_not_priceable", _("This claim is past its pricing."))
        if claim.status == ClaimStatus.PRICED and _holds(claim):
            return priced_now(claim)
        if claim.route == ClaimRoute.MOBILE and claim.status == ClaimStatus.PRICED:
            return mobile_over()
        fields_write(claim, attempt=claim.attempt + 1)
    (claim.encounter,) = _encounter(claim.encounter_id)
    return Pricing(claim, institution_speaking(claim.institution_id), claim.attempt)


def _holds(claim: Claim) -> bool:
    return claim.valid_until is not None and claim.valid_until > clock.now()


def _sign_in(pricing: Pricing) -> None:
    """9001 once a day; a platform that gives no number takes messages without one."""
    if site_of(pricing.institution).sign_no:
        return
    try:
        session_open(institution=pricing.institution)
    except Conflict:
        return
    pricing.institution = institution_speaking(pricing.institution.pk)
    failpoint("claim.after_sign_in")


def _proof_check(pricing: Pricing) -> None:
    """A proof that has run out ends its registration: the lines move to a new one."""
    visit = pricing.claim.visit
    if visit is None or (visit.held and visit.expires_at > clock.now()):
        return
    if pricing.claim.lines_sent:
        batch_remove(pricing)
    with pricing.step("visit_left") as claim:
        by_his = visit.by_his
        fields_write(claim, visit=None, mdtrt_id=claim.mdtrt_id if by_his else "")


def _trial(pricing: Pricing, results: tuple[LineResult, ...]) -> Priced:
    """2206, compared with the lines to the fen."""
    trial = pricing.say(presettle(order_of(pricing.claim)))
    try:
        lines_check(results, trial)
    except IdentityBroken as broken:
        pricing.review(InsuranceReason.SPLIT_BROKEN, str(broken))
    return trial_keep(pricing, trial.split, trial)


def _late(pricing: Pricing, ended: Priced) -> Priced:
    """A refusal after a settlement was thought lost: perhaps it was not, then it is looked at."""
    if ended.state is not PricedState.REFUSED or not pricing.claim.settle_tries:
        return ended
    found = standing_find(pricing.claim)
    if found.known and found.settlement is None:
        return ended
    try:
        with pricing.step("late") as claim:
            transition(claim, ClaimStatus.SETTLING, by=SYSTEM, due_at=clock.now())
    except PricingEnded:
        return Priced(PricedState.UNKNOWN, code=OVERTAKEN)
    return Priced(PricedState.UNKNOWN, code="SETTLED_LATE", sentence=ended.sentence)
