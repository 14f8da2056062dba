"""What was left behind: claims in doubt are looked at, ended ones tidied up at the insurer."""

from __future__ import annotations

from core.actors import SYSTEM
from insurance.locks import claims_lease
from insurance.models import Claim, ClaimStatus
from insurance.policy import POLICY
from insurance.services.claims.looking import claim_look, claim_look_reversal
from insurance.services.claims.releasing import claim_release, claim_tidy


def claims_due(*, limit: int) -> list[int]:
    """Claims whose time to look has come, leased to the caller."""
    return claims_lease(limit=limit, lease_s=POLICY.lease_s)


def claim_resume(*, claim_id: int) -> int:
    """Do what is due for a claim; the answer is its bill (`invoice_ref`), for whoever drives it.

    The claim's state says what was learnt: read it under the bill's lock.
    """
    claim = Claim.objects.get(pk=claim_id)
    if claim.status == ClaimStatus.SETTLING:
        claim_look(claim_id=claim_id)
    elif claim.status == ClaimStatus.REVERSING:
        claim_look_reversal(claim_id=claim_id)
    elif claim.releasing:
        claim_release(claim_id=claim_id, by=SYSTEM)
    claim_tidy(claim_id=claim_id)
    return claim.invoice_ref
