"""Which accounts a step of a fund loss touches, as `billing.postings` for everything else.

The entry's reference is `kind:number` of the step, which the database compares at its approval.
"""

from __future__ import annotations

from billing.ledger.chart import (
    BAD_DEBT,
    BANK,
    FUND_LOSS,
    Event,
    fund_receivable,
    recourse_receivable,
)
from billing.ledger.entries import Leg
from billing.ledger.services import entry_post
from billing.models import LossStep, LossStepKind


def post_loss_step(step: LossStep) -> int:
    """Borne: Dr fund_loss / Cr fund_receivable/agency [claim]; taken back: the same swapped.
    Claimed: Dr recourse_receivable/institution / Cr fund_loss; collected: Dr bank /
    Cr recourse_receivable/institution; written off: Dr bad_debt / Cr recourse_receivable/…."""
    debit, credit = _legs(step)
    return entry_post(
        reference=f"{step.kind}:{step.number}",
        event=Event(step.kind),
        occurred_at=step.occurred_at,
        legs=(
            Leg(debit[0], step.amount_fen, *debit[1:]),
            Leg(credit[0], -step.amount_fen, *credit[1:]),
        ),
        invoice_id=step.loss.claim.invoice_ref,
    )


Side = tuple[str] | tuple[str, int]


def _legs(step: LossStep) -> tuple[Side, Side]:
    fund = (fund_receivable(step.loss.agency), step.loss.claim_id)
    if step.kind == LossStepKind.BORNE:
        return (FUND_LOSS,), fund
    if step.kind == LossStepKind.TAKEN_BACK:
        return fund, (FUND_LOSS,)
    assert step.institution is not None  # the database demands one for what follows
    recourse = (recourse_receivable(step.institution.code),)
    sides: dict[str, tuple[Side, Side]] = {
        LossStepKind.CLAIMED: (recourse, (FUND_LOSS,)),
        LossStepKind.COLLECTED: ((BANK,), recourse),
        LossStepKind.WRITTEN_OFF: ((BAD_DEBT,), recourse),
    }
    return sides[step.kind]
