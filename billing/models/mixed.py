"""A tender that the insurer's order rides in: cash and insurance by one password."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.payment import PaymentTransaction
from insurance.models import Claim


class MixedOrder(models.Model):
    """Binds the capture of a bill's cash part to the claim that the wallet confirms with it.

    The cash is the transaction's word, the insurance the claim's. When the insurer has given its
    part back, the channel is told so, once: `due_at` until then, `told_at` after.
    """

    transaction = models.OneToOneField(
        PaymentTransaction, on_delete=models.PROTECT, related_name="mixed"
    )
    claim = models.OneToOneField(Claim, on_delete=models.PROTECT, related_name="mixed_order")
    due_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(_("channel told of the return at"), null=True, blank=True)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("order of insurance and wallet")
        verbose_name_plural = _("orders of insurance and wallet")
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], name="mixed_due", condition=models.Q(due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.transaction_id} {self.claim_id}"
