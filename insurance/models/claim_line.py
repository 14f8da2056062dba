"""One line of a claim, as it was frozen, and what the insurer made of it."""

from __future__ import annotations

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from insurance.models.claim import LINE_PARTS, Claim, all_or_none, part_field


class ClaimLine(models.Model):
    """One line as it was frozen for the claim, and what the insurer made of it (I6).

    `said` is the line as billing handed it down and never changes. `number` is the line's at the
    insurer: made of the claim's, so that the same charge in a later claim is another line.
    """

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="lines")
    number = models.CharField(_("number at the insurer"), max_length=30)
    charge_no = models.CharField(_("charge"), max_length=64)
    amount_fen = models.BigIntegerField(_("amount"))
    said = models.JSONField(_("line"), encoder=DjangoJSONEncoder)
    own_fen = part_field(_("wholly self-paid"))
    over_limit_fen = part_field(_("over the limit"))
    first_own_fen = part_field(_("paid first by oneself"))
    in_scope_fen = part_field(_("within the catalogue"))
    level = models.CharField(_("level"), max_length=3, blank=True)
    own_share = models.DecimalField(
        _("own share"), max_digits=5, decimal_places=4, null=True, blank=True
    )
    price_limit = models.DecimalField(
        _("price limit"), max_digits=16, decimal_places=6, null=True, blank=True
    )
    limited_use = models.BooleanField(_("limited use"), default=False)

    class Meta:
        verbose_name = _("line of a claim")
        verbose_name_plural = _("lines of claims")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["claim", "number"], name="claim_line_once"),
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0), name="claim_line_positive"
            ),
            all_or_none("claim_line_adds_up", LINE_PARTS),
        ]

    def __str__(self) -> str:
        return self.number
