"""The order goes to the wallet: from here on the insured may confirm it, and the fund may pay."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.states import transition
from insurance.gateway.base import Operation
from insurance.gateway.claim_values import Split
from insurance.locks import claim_lock
from insurance.models import Claim, ClaimRoute, ClaimStatus, Institution
from insurance.policy import POLICY
from insurance.selectors import message_last
from insurance.services.claims.mobile.orders import order_of_claim
from insurance.services.claims.speaking import fields_write


@dataclass(frozen=True, slots=True)
class OfferedOrder:
    """What the wallet is told of the order."""

    order_no: str
    pay_order_no: str
    pay_auth_no: str = field(repr=False)
    location: str
    split: Split
    institution_code: str
    institution_name: str


def claim_offer(*, claim_id: int, by: Actor) -> OfferedOrder:
    """Commit, in the caller's transaction, that the wallet is given the order: the claim is
    SETTLING until the centre says how it ended. Conflict without a trial that holds."""
    claim = claim_lock(claim_id)
    holds = claim.valid_until is not None and claim.valid_until > clock.now()
    priced = claim.status == ClaimStatus.PRICED and claim.route == ClaimRoute.MOBILE and holds
    split = claim.priced_split
    if not priced or split is None:
        raise Conflict("claim_not_priced", _("This claim has no price that holds."))
    order = order_of_claim(claim)
    now = clock.now()
    transition(
        claim,
        ClaimStatus.SETTLING,
        by=by,
        settle_message=message_last(claim.subject, Operation.MOBILE_ORDER),
        settle_tries=claim.settle_tries + 1,
        looks=0,
        due_at=now + timedelta(seconds=POLICY.sending_s),
    )
    order.offered_at = now
    order.save(update_fields=["offered_at"])
    place = Institution.objects.select_related("campus").get(pk=claim.institution_id)
    return OfferedOrder(
        order_no=order.order_no,
        pay_order_no=order.pay_order_no,
        pay_auth_no=order.pay_auth_no,
        location=order.location,
        split=split,
        institution_code=place.campus.institution_code,
        institution_name=place.name,
    )


def claim_end_wanted(*, claim_id: int) -> Claim:
    """The wallet is done with an order without having paid it: whatever is not settled is ended at
    the next look (6401). In the caller's transaction."""
    claim = claim_lock(claim_id)
    if claim.status == ClaimStatus.SETTLING and claim.route == ClaimRoute.MOBILE:
        fields_write(claim, undoing=True, due_at=clock.now())
    return claim
