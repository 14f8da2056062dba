"""What a person agreed to, in which words, since when, and when they took it back."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.patient import Patient


class ConsentPurpose(models.TextChoices):
    """Each is asked alone and can be withdrawn alone (PIPL art. 14-15, 29)."""

    PRIVACY = "privacy", _("personal data")
    FACE = "face", _("face data")
    DEDUCTION = "deduction", _("automatic deduction")
    CREDIT = "credit", _("pay later")


class Consent(models.Model):
    """One yes to one version of one text. A row is never reused: who agrees again gets a new one.

    `patient` is set where a user agrees for somebody they are bound to, and NULL for themselves.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="consents"
    )
    patient = models.ForeignKey(
        Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="consents"
    )
    purpose = models.CharField(max_length=12, choices=ConsentPurpose)
    text_version = models.CharField(max_length=16)
    text_hash = models.CharField(max_length=64)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "patient", "purpose", "text_version"],
                condition=models.Q(withdrawn_at__isnull=True),
                nulls_distinct=False,
                name="consent_stands_once",
            ),
            models.CheckConstraint(
                condition=models.Q(withdrawn_at__isnull=True)
                | models.Q(withdrawn_at__gte=models.F("given_at")),
                name="consent_withdrawn_after",
            ),
        ]
        verbose_name = _("consent")
        verbose_name_plural = _("consents")

    def __str__(self) -> str:
        return f"{self.purpose} {self.text_version}"
