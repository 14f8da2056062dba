"""What was learnt of a settlement or its reversal enters our books here, whoever learnt it.

Both are safe to call twice: what is there already stays as it is, and what contradicts it is a
question for a person, never a second posting.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from core import clock
from core.actors import SYSTEM
from core.failpoints import failpoint
from core.states import transition
from insurance.gateway.base import Answer, GatewayFault
from insurance.gateway.claim_values import Settlement
from insurance.gateway.identities import IdentityBroken, lines_check
from insurance.gateway.reading import Different
from insurance.locks import claim_lock
from insurance.models import Claim, ClaimRoute, ClaimStatus, InsuranceReason
from insurance.models.claim import split_fields
from insurance.services.claims.batches import results_of
from insurance.services.claims.frozen import settlement_frozen
from insurance.services.claims.reviews import (
    claim_to_review,
    reason_of,
    review_open,
    review_withdraw,
)

BACK = frozenset({ClaimStatus.OPEN, ClaimStatus.PRICED})


def settlement_apply(*, claim_id: int, said: Settlement) -> Claim:
    """A settlement of this claim stands at the insurer: the claim is settled by it, or in review.

    It must be about the visit, the scheme and the amount that were asked for, and its sums those of
    the lines. One that was given up for lost and turns up is adopted all the same.
    """
    failpoint("claim.before_apply")
    with transaction.atomic():
        claim = claim_lock(claim_id)
        if claim.settlement_no:
            if claim.settlement_no != said.settlement_no:
                _contradicted(claim, said)
            return claim
        if claim.status in BACK:
            transition(
                claim, ClaimStatus.SETTLING, by=SYSTEM, due_at=clock.now(), **_unheard(claim, said)
            )
        if claim.status != ClaimStatus.SETTLING:
            _contradicted(claim, said)
            return claim
        fault, slow = _fault(claim, said), claim.looks > 0
        if fault is not None:
            claim_to_review(claim, reason_of(fault), str(fault), settlement_no=said.settlement_no)
            return claim
        transition(
            claim,
            ClaimStatus.SETTLED,
            by=SYSTEM,
            settlement_no=said.settlement_no,
            settled=settlement_frozen(said),
            settled_at=said.settled_at or clock.now(),
            occurred_at=said.settled_at or clock.now(),
            due_at=None,
            looks=0,
            releasing=False,
            undoing=False,
            code="",
            message="",
            **split_fields("settled", said.split),
        )
        if slow:
            review_withdraw(claim)
    failpoint("claim.after_apply")
    return claim


def _unheard(claim: Claim, said: Settlement) -> dict[str, Any]:
    """Where the trial itself was never heard (6202 settled by itself), its parts are those."""
    if claim.priced_split is not None:
        return {}
    now = clock.now()
    return {"priced_at": now, "valid_until": now, **split_fields("priced", said.split)}


def reversal_apply(*, claim_id: int, reversal_no: str) -> Claim:
    """The settlement is undone in full; `reversal_no` is empty where only that much is known."""
    failpoint("claim.before_reversal_apply")
    with transaction.atomic():
        claim = claim_lock(claim_id)
        if claim.status != ClaimStatus.REVERSING:
            return claim
        now, slow = clock.now(), claim.looks > 0
        transition(
            claim,
            ClaimStatus.REVERSED,
            by=SYSTEM,
            reversal_no=reversal_no,
            reversed_at=now,
            # The lines lie at the insurer unsettled again: they are taken away next.
            due_at=now if claim.lines_sent else None,
            looks=0,
            code="",
            message="",
        )
        if slow:
            review_withdraw(claim)
    failpoint("claim.after_reversal_apply")
    return claim


def answer_to_review(*, claim_id: int, answer: Answer[Any]) -> Claim:
    """An answer that proves it happened and cannot be believed: nothing of it is posted."""
    fault = answer.fault
    assert fault is not None
    with transaction.atomic():
        claim = claim_lock(claim_id)
        if claim.status in claim.IN_DOUBT:
            claim_to_review(claim, reason_of(fault), answer.message, message_no=answer.message_no)
    return claim


def _fault(claim: Claim, said: Settlement) -> GatewayFault | None:
    """Why a settlement is not this claim's, or not one whole."""
    visit = claim.visit
    assert visit is not None
    if {said.total_fen, said.split.total_fen} != {claim.amount_fen}:
        return IdentityBroken("total", "medfee_sumamt", said.total_fen, claim.amount_fen)
    accounts_fen = said.split.own_account_fen + said.split.mutual_aid_fen
    wrong = {
        "insutype is not the scheme asked for": said.scheme.value != visit.coverage.scheme,
        "mdtrt_id is another visit's": said.mdtrt_id not in ("", visit.mdtrt_id),
        "psn_no is another person's": said.person_no not in ("", visit.coverage.person_no),
        "an account was used although it was not to be": accounts_fen and not claim.uses_account,
    }
    if any(wrong.values()):
        return Different("; ".join(text for text, so in wrong.items() if so))
    results = results_of(claim)
    if results is None and claim.route == ClaimRoute.MOBILE:
        return None  # 6201 answers nothing about single lines
    try:
        lines_check(results or (), said)
    except GatewayFault as fault:
        return fault
    return None


def _contradicted(claim: Claim, said: Settlement) -> None:
    """A settlement beside the one we know, or of a claim that had ended."""
    review_open(
        claim,
        InsuranceReason.STATE_DIFFERS,
        settlement_no=said.settlement_no,
        known=claim.settlement_no,
        status=str(claim.status),
    )
