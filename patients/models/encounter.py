"""One visit of one patient (就诊)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.hospital import Campus, HisClient
from patients.models.patient import Patient


class EncounterKind(models.TextChoices):
    OUTPATIENT = "outpatient", _("outpatient")
    EMERGENCY = "emergency", _("emergency")
    INPATIENT = "inpatient", _("inpatient")


class EncounterStatus(models.TextChoices):
    OPEN = "OPEN", _("open")
    CLOSED = "CLOSED", _("closed")
    CANCELLED = "CANCELLED", _("cancelled")


class Encounter(models.Model):
    """A visit, as the HIS registered it. `self_pay` records that the patient asked not to use
    insurance, and which operator took that wish."""

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        EncounterStatus.OPEN: frozenset({EncounterStatus.CLOSED, EncounterStatus.CANCELLED}),
    }

    client = models.ForeignKey(HisClient, on_delete=models.PROTECT)
    encounter_no = models.CharField(max_length=64)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="encounters")
    status = models.CharField(max_length=12, choices=EncounterStatus, default=EncounterStatus.OPEN)
    kind = models.CharField(max_length=12, choices=EncounterKind)
    campus = models.ForeignKey(Campus, on_delete=models.PROTECT)
    department_code = models.CharField(max_length=32)
    department_name = models.CharField(max_length=100)
    doctor_code = models.CharField(max_length=32)
    doctor_national_code = models.CharField(max_length=32, blank=True)
    doctor_name = models.CharField(max_length=100)
    diagnoses = models.JSONField(default=list)
    med_type = models.CharField(max_length=6, blank=True)
    disease_code = models.CharField(max_length=32, blank=True)
    mdtrt_id = models.CharField(max_length=32, blank=True)
    self_pay = models.BooleanField(default=False)
    self_pay_operator = models.CharField(max_length=140, blank=True)
    input_hash = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "encounter_no"], name="encounter_unique"),
        ]
        verbose_name = _("encounter")
        verbose_name_plural = _("encounters")

    def __str__(self) -> str:
        return self.encounter_no
