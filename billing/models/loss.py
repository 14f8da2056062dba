"""Fund money lost by mobile payment: borne by the hospital, recovered where it can be (Z2).

A `FundLoss` says of which settlement something was lost and why; it never changes. What follows is
a row of `LossStep` each, asked for by one person and decided by another, and posted in the moment
of the decision. The database keeps what the services refuse (`migrations/0018_loss_rules.sql`):
nothing is borne beyond what the settlement put on the fund, no recourse goes beyond what was borne,
nothing is collected or given up beyond what was claimed of that institution, a decided step stays
as it is, and an approved one stands in the ledger under its own number.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.institution import PaymentInstitution
from core.review import ReviewCase, ReviewStatus
from core.triggers import append_only
from insurance.models import Claim


class LossReason(models.TextChoices):
    IMPERSONATED = "impersonated", _("insurance was used under another person's name")
    SETTLED_TWICE = "settled_twice", _("the same care was settled twice")
    NOT_TAKEN_BACK = "not_taken_back", _("a settlement that was to be taken back still stands")
    WRONG_DETAILS = "wrong_details", _("what the phone or channel sent was wrong")
    DISALLOWED = "disallowed", _("the agency refuses to pay")
    OTHER = "other", _("another cause")


class LossStepKind(models.TextChoices):
    """What may happen to a loss. The value is the event of its entry."""

    BORNE = "fund_loss_borne", _("borne by the hospital")
    TAKEN_BACK = "fund_loss_taken_back", _("loss taken back: the agency pays after all")
    CLAIMED = "recourse_claimed", _("claimed from the payment institution")
    COLLECTED = "recourse_collected", _("collected from the payment institution")
    WRITTEN_OFF = "recourse_written_off", _("claim given up, written off")


K = LossStepKind
OF_INSTITUTION = (K.CLAIMED, K.COLLECTED, K.WRITTEN_OFF)
LIVE = (ReviewStatus.OPEN, ReviewStatus.APPROVED)


class FundLoss(models.Model):
    """One loss of one settlement; `agency` is whose receivable it lessens."""

    number = models.CharField(_("number"), max_length=32, unique=True)
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="fund_losses")
    agency = models.CharField(_("agency"), max_length=40)
    reason = models.CharField(_("cause"), max_length=20, choices=LossReason)
    explanation = models.CharField(_("what happened"), max_length=500)
    opened_by = models.CharField(_("recorded by"), max_length=80)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("fund loss")
        verbose_name_plural = _("fund losses")
        triggers = (append_only("fund_loss_append_only"),)
        permissions: ClassVar = [
            ("record_fundloss", "Can record fund losses and recourse"),
            ("decide_fundloss", "Can decide about fund losses and recourse"),
        ]

    def __str__(self) -> str:
        return self.number


class LossStep(ReviewCase):
    """One step of a loss with its amount; `evidence` is the number of the paper behind it.

    Amounts are in fen. `occurred_at` is when it happened, `opened_at` when we learnt it;
    `entry_id` is its entry, and is there from the moment it is approved.
    """

    reason_code = None  # type: ignore[assignment]  # its kind says why it waits
    loss = models.ForeignKey(FundLoss, on_delete=models.PROTECT, related_name="steps")
    number = models.CharField(_("number"), max_length=32, unique=True)
    kind = models.CharField(_("step"), max_length=24, choices=LossStepKind)
    institution = models.ForeignKey(
        PaymentInstitution, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    amount_fen = models.BigIntegerField(_("amount"))
    evidence = models.CharField(_("paper"), max_length=64)
    occurred_at = models.DateTimeField(_("happened at"))
    entry_id = models.BigIntegerField(_("entry"), null=True, blank=True)

    class Meta(ReviewCase.Meta):
        verbose_name = _("step of a fund loss")
        verbose_name_plural = _("steps of fund losses")
        constraints: ClassVar = [
            *ReviewCase.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0), name="loss_step_amount_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=[kind.value for kind in K]), name="loss_step_kind"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=OF_INSTITUTION, institution__isnull=False)
                | (~models.Q(kind__in=OF_INSTITUTION) & models.Q(institution__isnull=True)),
                name="loss_step_institution",
            ),
            models.CheckConstraint(
                condition=models.Q(status=ReviewStatus.APPROVED, entry_id__isnull=False)
                | (~models.Q(status=ReviewStatus.APPROVED) & models.Q(entry_id__isnull=True)),
                name="loss_step_approved_is_posted",
            ),
            models.UniqueConstraint(fields=["entry_id"], name="loss_step_entry_once"),
            models.UniqueConstraint(
                fields=["loss"],
                name="loss_step_one_open",
                condition=models.Q(status=ReviewStatus.OPEN),
            ),
            models.UniqueConstraint(
                fields=["loss"],
                name="loss_step_borne_once",
                condition=models.Q(kind=K.BORNE, status__in=LIVE),
            ),
        ]

    def __str__(self) -> str:
        return self.number
