"""Reading questions of fund losses: how much is borne, claimed and still to come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from billing.models import FundLoss, LossStep, LossStepKind, MixedOrder, Payment
from billing.models.loss import LIVE
from core.review import ReviewStatus
from insurance.models import Claim

K = LossStepKind
POSTED = Q(status=ReviewStatus.APPROVED)
ALIVE = Q(status__in=LIVE)


@dataclass(frozen=True, slots=True)
class LossSums:
    """The approved sums of a loss, or of one institution's part of it."""

    borne_fen: int
    taken_back_fen: int
    claimed_fen: int
    collected_fen: int
    written_off_fen: int

    @property
    def claimable_fen(self) -> int:
        """Borne, and neither claimed from anybody nor taken back."""
        return self.borne_fen - self.taken_back_fen - self.claimed_fen

    @property
    def outstanding_fen(self) -> int:
        """Claimed, and neither collected nor given up."""
        return self.claimed_fen - self.collected_fen - self.written_off_fen


def loss_sums(loss_id: int, institution_id: int | None = None) -> LossSums:
    """What was decided of a loss; of one institution's recourse where one is named."""
    steps = LossStep.objects.filter(POSTED, loss=loss_id)
    if institution_id is not None:
        steps = steps.filter(institution=institution_id)
    return LossSums(**steps.aggregate(**_sums()))


def losses_with_sums() -> QuerySet[FundLoss]:
    """Every loss with its sums beside it, and whether a step waits for its decision."""
    open_steps = LossStep.objects.filter(loss=OuterRef("pk"), status=ReviewStatus.OPEN)
    steps = LossStep.objects.filter(POSTED, loss=OuterRef("pk")).order_by().values("loss")
    sums: dict[str, Any] = {
        name: Coalesce(Subquery(steps.annotate(fen=fen).values("fen")), 0)
        for name, fen in _sums().items()
    }
    return FundLoss.objects.annotate(**sums, waits=Exists(open_steps)).select_related("claim")


def loss_standing(claim_id: int) -> str:
    """The number of a loss of this settlement that the hospital bears, not taken back; or empty."""
    losses: QuerySet[Any] = losses_with_sums().filter(claim=claim_id).order_by("pk")
    borne = losses.filter(borne_fen__gt=F("taken_back_fen"))
    return borne.values_list("number", flat=True).first() or ""


def claim_loss_room_fen(claim: Claim) -> int:
    """What may still be borne of a settlement: its part of the fund and accounts, less losses that
    were asked for or decided."""
    split = claim.settled_split
    if split is None:
        return 0
    insured_fen = split.fund_fen + split.own_account_fen + split.mutual_aid_fen
    steps = LossStep.objects.filter(loss__claim=claim)
    borne = steps.filter(ALIVE, kind=K.BORNE).aggregate(fen=Sum("amount_fen", default=0))["fen"]
    back = steps.filter(POSTED, kind=K.TAKEN_BACK).aggregate(fen=Sum("amount_fen", default=0))
    return int(insured_fen - borne + back["fen"])


def carriers_of_bill(claim: Claim) -> set[int]:
    """The payment institutions that carried money of the claim's bill or its wallet order."""
    paid = Payment.objects.filter(invoice=claim.invoice_ref, merchant__isnull=False)
    mixed = MixedOrder.objects.filter(claim=claim)
    found = set(paid.values_list("merchant__institution", flat=True))
    return found | set(
        mixed.values_list("transaction__payment__merchant__institution", flat=True)
    ) - {None}


def losses_waiting() -> int:
    """Steps that wait for a second person."""
    return LossStep.objects.filter(status=ReviewStatus.OPEN).count()


def _sums() -> dict[str, Sum]:
    names = {
        "borne_fen": K.BORNE,
        "taken_back_fen": K.TAKEN_BACK,
        "claimed_fen": K.CLAIMED,
        "collected_fen": K.COLLECTED,
        "written_off_fen": K.WRITTEN_OFF,
    }
    return {name: Sum("amount_fen", filter=Q(kind=kind), default=0) for name, kind in names.items()}
