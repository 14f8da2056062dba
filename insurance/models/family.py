"""Whose account pays for whom in a family, and the dated rules of a region about it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.crypto import EncryptedField
from insurance.models.region import Institution, InsuranceRegion
from patients.models import Patient


class FamilyRule(models.Model):
    """A region's rule from a day on. A guardian's account must hold more than the threshold (5 % of
    last year's average wage): equal to it is not enough. `basis` says where the figure is from."""

    region = models.ForeignKey(
        InsuranceRegion, on_delete=models.PROTECT, related_name="family_rules", db_index=False
    )
    valid_from = models.DateField(_("valid from"))
    relations = models.JSONField(_("relations that may pay for one another"), default=list)
    child_threshold_fen = models.BigIntegerField(_("a guardian's account must exceed"))
    basis = models.CharField(_("basis"), max_length=200)

    class Meta:
        verbose_name = _("rule for family accounts")
        verbose_name_plural = _("rules for family accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["region", "valid_from"], name="family_rule_once_a_day"),
            models.CheckConstraint(
                condition=models.Q(child_threshold_fen__gte=0), name="family_rule_threshold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.region_id} {self.valid_from}"


class FamilyLink(models.Model):
    """`payer`'s insurance account pays for `member`, as filed at the insurer by the payer's tap.

    `refused` names the conditions that were missed when they were last checked; the account pays
    only while it is empty. An ended link stays as evidence.
    """

    payer = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="family_pays_for")
    member = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="family_paid_by")
    relation = models.CharField(_("relation"), max_length=8)
    institution = models.ForeignKey(Institution, on_delete=models.PROTECT, related_name="+")
    payer_no = EncryptedField()
    member_no = EncryptedField()
    insured_area = models.CharField(_("insured place"), max_length=6)
    filing_no = models.CharField(_("number of the filing"), max_length=40, blank=True)
    refused = models.JSONField(_("conditions missed"), default=list, blank=True)
    checked_at = models.DateTimeField(_("checked at"))
    created_at = models.DateTimeField(_("recorded at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    class Meta:
        verbose_name = _("family account")
        verbose_name_plural = _("family accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["payer", "member"],
                name="family_link_live",
                condition=models.Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=~models.Q(payer=models.F("member")), name="family_link_two_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payer_id} {self.relation} {self.member_id}"
