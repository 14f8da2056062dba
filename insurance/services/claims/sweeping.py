"""What was left behind: claims in doubt are looked at, ended ones tidied up at the insurer."""

from __future__ import annotations

from datetime import datetime

from core.actors import SYSTEM
from insurance.locks import claims_lease
from insurance.models import Claim, ClaimStatus
from insurance.policy import POLICY
from insurance.services.claims.looking import claim_look, claim_look_reversal
from insurance.services.claims.releasing import claim_release, claim_tidy


def claims_due(*, limit: int) -> list[int]:
    """Claims whose time to look has come, leased to the caller."""
    return claims_lease(limit=limit, lease_s=POLICY.lease_s)


def claims_put_off(*, invoice_ref: int, until: datetime) -> None:
    """Work on a bill's claims broke off: what was due of them is due again then, and not before."""
    Claim.objects.filter(invoice_ref=invoice_ref, due_at__isnull=False).update(due_at=until)


def claim_resume(*, claim_id: int) -> None:
    """Do what is due for a claim. Its state says what was learnt: read it under the bill's lock."""
    claim = Claim.objects.get(pk=claim_id)
    if claim.status == ClaimStatus.SETTLING:
        claim_look(claim_id=claim_id)
    elif claim.status == ClaimStatus.REVERSING:
        claim_look_reversal(claim_id=claim_id)
    elif claim.releasing:
        claim_release(claim_id=claim_id, by=SYSTEM)
    claim_tidy(claim_id=claim_id)
