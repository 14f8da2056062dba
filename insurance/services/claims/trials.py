"""A trial that was believed becomes the claim's price, whichever route it came by."""

from __future__ import annotations

from datetime import timedelta

from core import clock
from core.actors import SYSTEM
from core.states import transition
from insurance.gateway.claim_values import Settlement, Split
from insurance.models import Claim, ClaimStatus
from insurance.models.claim import split_fields
from insurance.policy import POLICY
from insurance.services.claims.frozen import settlement_frozen
from insurance.services.claims.speaking import Pricing
from insurance.services.claims.values import Priced, PricedState


def trial_keep(pricing: Pricing, split: Split, trial: Settlement | None) -> Priced:
    """PRICED until the trial runs out, at midnight at the latest."""
    with pricing.step("trial") as claim:
        now = clock.now()
        until = min(
            now + timedelta(seconds=POLICY.trial_valid_s), clock.day_bounds(clock.today())[1]
        )
        transition(
            claim,
            ClaimStatus.PRICED,
            by=SYSTEM,
            priced_at=now,
            valid_until=until,
            priced=settlement_frozen(trial) if trial is not None else None,
            code="",
            message="",
            **split_fields("priced", split),
        )
    return priced_now(claim)


def priced_now(claim: Claim) -> Priced:
    """The price a claim has."""
    return Priced(
        PricedState.PRICED,
        split=claim.priced_split,
        priced_at=claim.priced_at,
        valid_until=claim.valid_until,
    )
