"""Two records of one person, joined by two members of staff, and parted again if that was wrong."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.review import ReviewCase
from patients.models.patient import Patient


class PatientMerge(ReviewCase):
    """A duplicate (`merged`) and the person it is (`kept`).

    `moved` names every row that changed its person, by model and id, so that it can go back; the
    duplicate itself stays, empty. No posting names a patient, so none is touched.
    """

    kept = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    merged = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+")
    moved = models.JSONField(_("moved rows"), default=dict, blank=True)
    undone_by = models.CharField(_("parted by"), max_length=80, blank=True, default="")
    undone_at = models.DateTimeField(_("parted at"), null=True, blank=True)
    undo_reason = models.CharField(_("why parted"), max_length=500, blank=True, default="")

    class Meta(ReviewCase.Meta):
        constraints: ClassVar = [
            *ReviewCase.Meta.constraints,
            models.UniqueConstraint(
                fields=["merged"],
                name="patient_merge_once",
                condition=models.Q(status__in=["OPEN", "APPROVED"], undone_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=~models.Q(kept=models.F("merged")), name="patient_merge_two_records"
            ),
        ]
        permissions: ClassVar = [
            ("propose_patientmerge", "Can propose to join two records of a person"),
            ("decide_patientmerge", "Can decide about joined records, and part them"),
        ]
        verbose_name = _("joined record")
        verbose_name_plural = _("joined records")

    def __str__(self) -> str:
        return f"{self.merged_id} → {self.kept_id}"
