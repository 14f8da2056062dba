"""Who may carry the hospital's payments, under which agreement (Z1: none is designated)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.crypto import EncryptedField
from patients.models import Campus


class PaymentInstitution(models.Model):
    """A lawful payment institution with an agreement of a stated term (准入)."""

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=100)
    licence_no = models.CharField(max_length=64, blank=True)
    agreement_from = models.DateField()
    agreement_until = models.DateField()
    suspended = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("payment institution")
        verbose_name_plural = _("payment institutions")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(agreement_until__gte=models.F("agreement_from")),
                name="institution_term_in_order",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Merchant(models.Model):
    """The hospital's account at a channel. Its clearing account is clearing/{channel}/{number}."""

    institution = models.ForeignKey(PaymentInstitution, on_delete=models.PROTECT)
    channel = models.CharField(max_length=20)
    merchant_no = models.CharField(max_length=32)
    app_id = models.CharField(max_length=64, blank=True)
    base_url = models.URLField(blank=True)
    campus = models.ForeignKey(Campus, null=True, blank=True, on_delete=models.PROTECT)
    secrets = EncryptedField(blank=True, default="", help_text="JSON of named secrets")
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("merchant")
        verbose_name_plural = _("merchants")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "merchant_no"], name="merchant_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.channel}/{self.merchant_no}"


def merchant_is_open(today: Any, campus: Any = None, *, of: str = "") -> models.Q:
    """That a merchant may take money on a day: in use, of this campus or of all, and its
    institution's own agreement in term (Z1). `of` leads to the merchant from another table."""
    conditions = {
        "active": True,
        "institution__suspended": False,
        "institution__agreement_from__lte": today,
        "institution__agreement_until__gte": today,
    }
    is_open = models.Q(**{of + name: value for name, value in conditions.items()})
    if campus is None:
        return is_open
    return is_open & models.Q(
        models.Q(**{of + "campus": None}) | models.Q(**{of + "campus": campus})
    )


class AgreementPlan(models.Model):
    """The channel's template of a deduction agreement (模板 plan_id) with its terms as data."""

    merchant = models.ForeignKey(Merchant, on_delete=models.PROTECT, related_name="plans")
    plan_id = models.CharField(max_length=32)
    name = models.CharField(max_length=100, blank=True)
    single_fen = models.BigIntegerField()
    daily_fen = models.BigIntegerField()
    daily_count = models.PositiveIntegerField()
    hours_from = models.TimeField()
    hours_until = models.TimeField(help_text="exclusive; 00:00 = midnight, the end of the day")
    offered = models.BooleanField(
        default=True, db_default=True, help_text="false: not among what patients choose from"
    )

    class Meta:
        verbose_name = _("agreement plan")
        verbose_name_plural = _("agreement plans")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["merchant", "plan_id"], name="plan_unique"),
        ]

    def __str__(self) -> str:
        return self.plan_id
