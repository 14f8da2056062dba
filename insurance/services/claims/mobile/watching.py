"""An order rings whose claim waits for nothing any more: what does not fit is a person's question.

Nothing moves here. The centre is asked once more (6301), because a ring may come late and out of
its order; while it does not answer, the ring itself is shown to a person. A claim that is being
settled or taken back is looked at by the sweeper instead (`looking`), and one in review is with a
person already.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.db import transaction

from core.failpoints import failpoint
from insurance.gateway.mobile import orders
from insurance.gateway.mobile.states import OrderClass
from insurance.gateway.mobile.values import MobileState
from insurance.locks import claim_lock
from insurance.models import Claim, ClaimStatus, InsuranceReason, InsuranceReview, MobileOrder
from insurance.selectors import institution_speaking
from insurance.services.claims.asking import insurer_ask
from insurance.services.claims.mobile.orders import reference_of_order, state_note
from insurance.services.claims.reviews import review_open

# What an order may say beside its claim. 17 is on its way to an end and rings again there; where a
# claim was released, its insurance was surely never settled, or a person said so (13, 16).
_BEFORE = frozenset({"0", "1", "2", "12", "15"})
_FITS: Mapping[str, frozenset[str]] = MappingProxyType({
    ClaimStatus.OPEN: _BEFORE,
    ClaimStatus.PRICED: _BEFORE,
    ClaimStatus.SETTLED: frozenset({"4", "5", "6", "9", "10", "17"}),
    ClaimStatus.REVERSED: frozenset({"7", "8", "11", "17"}),
    ClaimStatus.RELEASED: frozenset({"0", "1", "7", "9", "12", "13", "15", "16", "17"}),
})  # fmt: skip


def order_fits(claim: Claim, state: MobileState) -> bool:
    """Whether what the centre says of an order is what its claim's own state says."""
    return state.code in _FITS.get(claim.status, frozenset({state.code}))


def order_watch(*, claim: Claim, order: MobileOrder, told: MobileState) -> InsuranceReview | None:
    """Ask about an order that rang beside its claim; the case for a person, or None where it fits
    after all. Never inside a transaction."""
    institution = institution_speaking(claim.institution_id)
    answer = insurer_ask(claim, orders.query(reference_of_order(claim, order, institution)))
    failpoint("claim.after_watch")
    found = answer.value or told
    state_note(order, found.code)
    with transaction.atomic():
        locked = claim_lock(claim.pk)
        if locked.status in Claim.IN_DOUBT or order_fits(locked, found):
            return None
        return review_open(
            locked,
            _reason(found),
            f"ordStas {found.code}",
            ord_stas=found.code,
            settlement_no=locked.settlement_no,
        )


def _reason(found: MobileState) -> InsuranceReason:
    if found.state is OrderClass.UNKNOWN:
        return InsuranceReason.UNKNOWN_CODE
    if found.state is OrderClass.OPERATOR:
        return InsuranceReason.CENTRE_STUCK
    return InsuranceReason.STATE_DIFFERS
