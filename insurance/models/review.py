"""What a person must decide about a claim."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.review import ReviewCase, ReviewStatus
from insurance.models.claim import Claim


class InsuranceReason(models.TextChoices):
    SPLIT_BROKEN = "split_broken", _("the insurer's sums do not add up")
    OTHER_ANSWER = "other_answer", _("the insurer answered about something else")
    UNKNOWN_CODE = "unknown_code", _("the insurer used a code we do not know")
    UNREADABLE = "unreadable", _("the insurer's answer cannot be read")
    OTHER_PERSON = "other_person", _("the credential is another person's")
    STATE_DIFFERS = "state_differs", _("the insurer contradicts itself")
    CENTRE_STUCK = "centre_stuck", _("the mobile-pay centre needs a person for this order")
    NOT_ENDED = "not_ended", _("no final answer in time")


class InsuranceReview(ReviewCase):
    """One question about a claim; at most one open case per reason and claim."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="reviews")
    figures = models.JSONField(default=dict)

    class Meta(ReviewCase.Meta):
        verbose_name = _("insurance review")
        verbose_name_plural = _("insurance reviews")
        constraints: ClassVar = [
            *ReviewCase.Meta.constraints,
            models.UniqueConstraint(
                fields=["reason_code", "claim"],
                condition=models.Q(status=ReviewStatus.OPEN),
                name="insurance_review_one_open",
            ),
        ]
        permissions: ClassVar = [("decide_insurancereview", "Can decide insurance reviews")]

    def __str__(self) -> str:
        return self.summary or self.reason_code
