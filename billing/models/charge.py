"""One priced line of a visit (收费明细), as the HIS ordered it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models import Encounter, HisClient


class ChargeStatus(models.TextChoices):
    UNBILLED = "UNBILLED", _("unbilled")
    BILLED = "BILLED", _("billed")
    CANCELLED = "CANCELLED", _("cancelled")


class ChargeItem(models.Model):
    """`amount_fen` is authoritative; unit price (≤ 6 places) × quantity (≤ 4) only explains it."""

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        ChargeStatus.UNBILLED: frozenset({ChargeStatus.BILLED, ChargeStatus.CANCELLED}),
        ChargeStatus.BILLED: frozenset({ChargeStatus.UNBILLED}),
    }

    client = models.ForeignKey(HisClient, on_delete=models.PROTECT)
    encounter = models.ForeignKey(Encounter, on_delete=models.PROTECT, related_name="charges")
    charge_no = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=ChargeStatus, default=ChargeStatus.UNBILLED)
    item_code = models.CharField(max_length=64)
    national_code = models.CharField(max_length=64, blank=True)
    item_name = models.CharField(max_length=200)
    category = models.CharField(max_length=2)
    amount_fen = models.BigIntegerField()
    unit_price = models.DecimalField(max_digits=16, decimal_places=6)
    quantity = models.DecimalField(max_digits=14, decimal_places=4)
    details = models.JSONField(default=dict)
    input_hash = models.CharField(max_length=64)
    ordered_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("charge item")
        verbose_name_plural = _("charge items")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "charge_no"], name="charge_unique"),
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0), name="charge_amount_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="charge_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_name} {self.charge_no}"
