"""A claim's order at the mobile-pay centre."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.crypto import EncryptedField
from insurance.models.claim import Claim
from patients.models import Patient


class MobileOrder(models.Model):
    """The order (6201, 6202) of a claim that goes through the mobile-pay centre; one for each.

    `order_no` is ours (medOrgOrd) and is committed before anything is said; `pay_order_no` and
    `pay_token` are the centre's. `pay_auth_no` is the consent of the insured, or of a child's
    guardian (`payer`) in their stead: it opens this order and no other. From `offered_at` on the
    wallet may confirm, so the fund may have paid; an order without cash is settled by 6202 itself.
    `refund_no` is fixed for one refund and new only after its final failure.
    """

    claim = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="mobile")
    order_no = models.CharField(_("order"), max_length=20, unique=True)
    payer = models.ForeignKey(
        Patient,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("allowed by"),
    )
    pay_auth_no = EncryptedField(blank=True, default="")
    location = models.CharField(_("place of the phone"), max_length=40, blank=True)
    pay_order_no = models.CharField(_("the centre's order"), max_length=40, blank=True)
    pay_token = EncryptedField(blank=True, default="")
    state = models.CharField(_("state at the centre"), max_length=8, blank=True)
    offered_at = models.DateTimeField(_("offered to the wallet at"), null=True, blank=True)
    refund_no = models.CharField(_("refund"), max_length=32, blank=True)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("order at the mobile-pay centre")
        verbose_name_plural = _("orders at the mobile-pay centre")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["pay_order_no"],
                name="mobile_order_known_once",
                condition=~models.Q(pay_order_no=""),
            ),
            # Nobody confirms what the centre does not know.
            models.CheckConstraint(
                condition=models.Q(offered_at__isnull=True) | ~models.Q(pay_order_no=""),
                name="mobile_order_offered_is_known",
            ),
        ]

    def __str__(self) -> str:
        return self.order_no
