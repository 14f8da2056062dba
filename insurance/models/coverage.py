"""What a person is entitled to, as the insurer last said, and the visits it was told of."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.crypto import BlindIndexField, EncryptedField
from insurance.gateway.visit_values import CredentialKind
from insurance.models.region import Institution
from patients.models import Encounter, Patient

ACTIVE = "1"


class Coverage(models.Model):
    """One entitlement of a patient (参保信息); a person has several, each with its own state.

    The codes of states other than 1 are regional, so they are kept as said and all mean "not now".
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="coverages")
    scheme = models.CharField(_("scheme"), max_length=3)
    insured_area = models.CharField(_("insured place"), max_length=6)
    person_no = EncryptedField()
    person_index = BlindIndexField(source="person_no", purpose="person_no")
    person_class = models.CharField(_("kind of person"), max_length=6, blank=True)
    state = models.CharField(_("state"), max_length=3)
    civil_servant = models.BooleanField(_("civil servant"), default=False)
    balance_fen = models.BigIntegerField(_("account balance as last told"), default=0)
    paused_since = models.DateField(_("paused since"), null=True, blank=True)
    checked_at = models.DateTimeField(_("asked at"))

    class Meta:
        verbose_name = _("coverage")
        verbose_name_plural = _("coverages")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "insured_area", "scheme"], name="coverage_once"
            ),
            models.CheckConstraint(
                condition=models.Q(balance_fen__gte=0), name="coverage_balance_not_negative"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["person_index"], name="coverage_person")]

    def __str__(self) -> str:
        return f"{self.scheme} {self.insured_area}"

    @property
    def active(self) -> bool:
        """Whether it could be used when it was asked about."""
        return self.state == ACTIVE


class InsuredVisit(models.Model):
    """A visit as the insurer registered it (2201), under the proof that made it.

    Trial and settlement must bear that very proof, so it stays here as long as it is good and no
    longer. A visit of the hospital has a second registration only when the proof of the first one
    has run out. `visit_no` is committed before the call; the insurer's number comes with the
    answer.
    """

    encounter = models.ForeignKey(
        Encounter, on_delete=models.PROTECT, related_name="insured_visits"
    )
    institution = models.ForeignKey(
        Institution, on_delete=models.PROTECT, related_name="visits", db_index=False
    )
    coverage = models.ForeignKey(Coverage, on_delete=models.PROTECT, related_name="visits")
    visit_no = models.CharField(_("number of the visit"), max_length=30, unique=True)
    mdtrt_id = models.CharField(_("the insurer's number"), max_length=32, blank=True)
    by_his = models.BooleanField(
        _("registered by the HIS"), default=False, help_text="and so never taken back by us"
    )
    kind = models.CharField(
        _("kind of proof"),
        max_length=2,
        choices=[(one.value, one.name) for one in CredentialKind],
    )
    number = EncryptedField(blank=True, default="")
    card_serial = EncryptedField(blank=True, default="")
    held = models.BooleanField(_("proof held"), default=True)
    expires_at = models.DateTimeField(_("proof good until"))
    # One registration is one kind of care: with a settlement on it, it cannot be told another.
    med_type = models.CharField(_("kind of care"), max_length=6)
    disease_code = models.CharField(_("disease"), max_length=30, blank=True)
    told_hash = models.CharField(_("hash of what was told"), max_length=64, blank=True)
    cancelled_at = models.DateTimeField(_("taken back at"), null=True, blank=True)
    created_at = models.DateTimeField(_("recorded at"))

    class Meta:
        verbose_name = _("visit at the insurer")
        verbose_name_plural = _("visits at the insurer")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["institution", "mdtrt_id"],
                name="insured_visit_number_once",
                condition=~models.Q(mdtrt_id=""),
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["expires_at"],
                name="insured_visit_proof_held",
                condition=models.Q(held=True),
            ),
        ]

    def __str__(self) -> str:
        return self.mdtrt_id or self.visit_no
