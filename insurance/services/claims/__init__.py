"""The claim of one bill at the insurer: open, price, settle, look, reverse, release.

`claim_open` runs in the caller's transaction; every other verb talks to the insurer and refuses to
run inside one. Each call's effect is committed before the next call, so whoever calls again goes on
where a killed process stopped. A split reaches our books only when its sums hold, it is about this
person, visit and amount, and every code in it is known; else the claim goes into review.
"""

from insurance.services.claims.looking import claim_look, claim_look_reversal
from insurance.services.claims.mobile.offering import OfferedOrder, claim_end_wanted, claim_offer
from insurance.services.claims.mobile.orders import mobile_begin
from insurance.services.claims.opening import claim_open
from insurance.services.claims.pricing import claim_price
from insurance.services.claims.releasing import claim_release
from insurance.services.claims.reversing import claim_reverse
from insurance.services.claims.reviews import claim_review_decide
from insurance.services.claims.settling import claim_settle
from insurance.services.claims.sweeping import claim_resume, claims_due, claims_put_off
from insurance.services.claims.values import (
    Decision,
    Priced,
    PricedState,
    Released,
    Reversed,
    Settled,
)
from insurance.services.claims.warnings import claim_warnings

__all__ = [
    "Decision",
    "OfferedOrder",
    "Priced",
    "PricedState",
    "Released",
    "Reversed",
    "Settled",
    "claim_end_wanted",
    "claim_look",
    "claim_look_reversal",
    "claim_offer",
    "claim_open",
    "claim_price",
    "claim_release",
    "claim_resume",
    "claim_reverse",
    "claim_review_decide",
    "claim_settle",
    "claim_warnings",
    "claims_due",
    "claims_put_off",
    "mobile_begin",
]
