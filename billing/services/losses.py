"""The hospital bears what the fund lost by mobile payment, and claims it from who caused it (Z2).

Every step is asked for by one member of staff and decided by another; only the decision posts it.
The limits are asked under the lock of the claim, which every step of its losses takes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.ledger.chart import SEGMENT
from billing.locks import loss_step_lock
from billing.loss_postings import post_loss_step
from billing.models import FundLoss, LossReason, LossStep, LossStepKind, PaymentInstitution
from billing.models.loss import OF_INSTITUTION
from billing.selectors.losses import claim_loss_room_fen, loss_sums
from core import clock
from core.actors import Actor, ActorKind
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.failpoints import failpoint
from core.ids import business_number
from core.money import format_yuan
from core.review import ReviewStatus, review_decide
from insurance.locks import claim_lock
from insurance.models import Claim, ClaimStatus

K = LossStepKind
TEXT_MAX, PAPER_MAX = 500, 64


@dataclass(frozen=True, slots=True)
class Asked:
    """What is said of a step: how much, when, by which paper, and why."""

    amount_fen: int
    occurred_at: datetime
    evidence: str
    words: str = ""


def fund_loss_record(*, claim_id: int, reason: str, asked: Asked, by: Actor) -> FundLoss:
    """Record a loss of a settlement and ask that the hospital bears it; another person decides.

    Raises NotFound, BadInput, Conflict (no settlement stands, more than it put on the fund).
    """
    _asked_check(asked, by)
    if reason not in LossReason.values:
        raise BadInput("reason", _("Choose a cause."), "reason")
    if not asked.words.strip():
        raise BadInput("explanation", _("Say what happened."), "explanation")
    with transaction.atomic():
        claim = _claim_locked(claim_id)
        if claim.status != ClaimStatus.SETTLED:
            raise Conflict("not_settled", _("No settlement of this claim stands."))
        room_fen = claim_loss_room_fen(claim)
        _within(asked.amount_fen, room_fen, "more_than_settled",
                _("Of this settlement at most %s can be borne."))  # fmt: skip
        now = clock.now()
        loss = FundLoss.objects.create(
            number=business_number("FL"),
            claim=claim,
            agency=claim.institution.region.area,
            reason=reason,
            explanation=asked.words.strip(),
            opened_by=by.key,
            created_at=now,
        )
        failpoint("loss.recorded")
        _step_write(loss, K.BORNE, None, asked, by)
        failpoint("loss.asked")
    return loss


def loss_step_ask(
    *, loss_id: int, kind: str, asked: Asked, by: Actor, institution_id: int | None = None
) -> LossStep:
    """Ask for the next step of a loss that the hospital bears; another person decides.

    Raises NotFound, BadInput, Conflict (another step waits; more than was borne or claimed; the
    institution's agreement had ended before the settlement).
    """
    _asked_check(asked, by)
    if kind not in K.values or kind == K.BORNE:
        raise BadInput("kind", _("Choose what happened to the loss."), "kind")
    loss = FundLoss.objects.select_related("claim").filter(pk=loss_id).first()
    if loss is None:
        raise NotFound("unknown_loss", _("There is no such loss."))
    with transaction.atomic():
        claim = _claim_locked(loss.claim_id)
        if loss.steps.filter(status=ReviewStatus.OPEN).exists():
            raise Conflict("step_waits", _("Another step of this loss waits for its decision."))
        institution = None
        if kind in OF_INSTITUTION:
            institution = _institution(institution_id, claim, kind)
        _room_check(loss.pk, kind, institution, asked.amount_fen)
        return _step_write(loss, K(kind), institution, asked, by)


def loss_step_decide(*, step_id: int, to: str, by: Actor, comment: str = "") -> LossStep:
    """Approve a step, which posts it; reject it, saying why; or withdraw an own one.

    Raises NotFound, BadInput, Conflict (decided already, or its settlement stands no more) and
    Forbidden for whoever asked.
    """
    with transaction.atomic():
        step = loss_step_lock(step_id)
        if step is None:
            raise NotFound("unknown_step", _("There is no such step."))
        entry_id = None
        if to == ReviewStatus.APPROVED and step.status == ReviewStatus.OPEN:
            gone = step.loss.claim.status != ClaimStatus.SETTLED
            if step.kind == K.BORNE and gone:
                raise Conflict("not_settled", _("No settlement of this claim stands."))
            entry_id = post_loss_step(step)
            failpoint("loss.posted")
        written = {} if entry_id is None else {"entry_id": entry_id}
        review_decide(review=step, to=to, by=by, comment=comment, written=written)
        failpoint("loss.decided")
    failpoint("loss.committed")
    return step


def _claim_locked(claim_id: int) -> Claim:
    if not Claim.objects.filter(pk=claim_id).exists():
        raise NotFound("unknown_claim", _("There is no such settlement."), "settlement_no")
    return claim_lock(claim_id)


def _asked_check(asked: Asked, by: Actor) -> None:
    if by.kind != ActorKind.STAFF:
        raise Forbidden("not_staff", _("A loss is recorded by a member of staff."))
    if asked.amount_fen <= 0:
        raise BadInput("amount", _("The amount must be more than zero."), "amount")
    if not asked.evidence.strip() or len(asked.evidence) > PAPER_MAX:
        raise BadInput("evidence", _("Give the number of the paper behind it."), "evidence")
    if len(asked.words) > TEXT_MAX:
        raise BadInput("words", _("At most 500 characters."), "explanation")
    if asked.occurred_at > clock.now():
        raise BadInput("occurred_at", _("This day has not come yet."), "occurred_on")


def _within(amount_fen: int, room_fen: int, code: str, words: object) -> None:
    if amount_fen > room_fen:
        raise Conflict(code, str(words) % format_yuan(max(room_fen, 0)), "amount")


def _room_check(
    loss_id: int, kind: str, institution: PaymentInstitution | None, amount_fen: int
) -> None:
    if institution is None or kind == K.CLAIMED:
        room_fen = loss_sums(loss_id).claimable_fen
        _within(amount_fen, room_fen, "more_than_borne",
                _("Of what the hospital bears, %s is neither claimed nor taken back."))  # fmt: skip
        return
    room_fen = loss_sums(loss_id, institution.pk).outstanding_fen
    _within(amount_fen, room_fen, "more_than_claimed",
            _("Of what was claimed from this institution, %s is outstanding."))  # fmt: skip


def _institution(institution_id: int | None, claim: Claim, kind: str) -> PaymentInstitution:
    """Whom it is claimed from. Terms are renewed in place, so only a settlement after the end of
    the last one is known to have had no agreement behind it."""
    row = PaymentInstitution.objects.filter(pk=institution_id or 0).first()
    if row is None:
        raise BadInput("institution", _("Choose a payment institution."), "institution")
    if SEGMENT.fullmatch(row.code) is None:
        message = _("The code of this institution cannot be an account of the ledger.")
        raise Conflict("institution_code", message, "institution")
    settled_at = claim.settled_at
    if kind == K.CLAIMED and settled_at and clock.business_day(settled_at) > row.agreement_until:
        message = _("The agreement with this institution had ended before the settlement.")
        raise Conflict("no_agreement", message, "institution")
    return row


def _step_write(
    loss: FundLoss, kind: K, institution: PaymentInstitution | None, asked: Asked, by: Actor
) -> LossStep:
    return LossStep.objects.create(
        loss=loss,
        number=business_number("LS"),
        kind=kind,
        institution=institution,
        amount_fen=asked.amount_fen,
        evidence=asked.evidence.strip(),
        summary=asked.words.strip(),
        occurred_at=asked.occurred_at,
        opened_by=by.key,
        opened_at=clock.now(),
    )
