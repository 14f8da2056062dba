"""What a patient said about a visit (好差评): once per bill, in five grades."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.invoice import Invoice

TEXT_LENGTH_MAX = 500


class Grade(models.IntegerChoices):
    VERY_GOOD = 5, _("very satisfied")
    GOOD = 4, _("satisfied")
    FAIR = 3, _("rather satisfied")
    POOR = 2, _("not satisfied")
    VERY_POOR = 1, _("not satisfied at all")


class RatingTag(models.TextChoices):
    QUICK = "quick", _("no long wait")
    CLEAR = "clear", _("the bill was clear")
    KIND = "kind", _("friendly people")
    SLOW = "slow", _("waited too long")
    UNCLEAR = "unclear", _("the bill was not clear")
    UNKIND = "unkind", _("unfriendly people")
    PAYING = "paying", _("paying was hard")


GOOD_TAGS = (RatingTag.QUICK, RatingTag.CLEAR, RatingTag.KIND)
BAD_TAGS = (RatingTag.SLOW, RatingTag.UNCLEAR, RatingTag.UNKIND, RatingTag.PAYING)


class Rating(models.Model):
    """A patient's word on one bill's visit; the hospital reads it and changes nothing of it."""

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="rating")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    grade = models.PositiveSmallIntegerField(choices=Grade)
    tags = models.JSONField(default=list)
    text = models.CharField(max_length=TEXT_LENGTH_MAX, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(grade__gte=1, grade__lte=5), name="rating_grade_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.grade}"
