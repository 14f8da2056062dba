"""What a person agreed to, in which words, since when, and when they took it back."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.consents.texts import current_version


class ConsentPurpose(models.TextChoices):
    """Each is asked alone and can be withdrawn alone (PIPL art. 14-15, 29)."""

    PRIVACY = "privacy", _("personal data")
    FACE = "face", _("face data")
    DEDUCTION = "deduction", _("automatic deduction")
    CREDIT = "credit", _("pay later")


class ConsentQuerySet(models.QuerySet["Consent"]):
    def standing(self, purpose: str, text_version: Any = "") -> ConsentQuerySet:
        """What allows a use now: given to today's words and not taken back.

        `text_version` is an open value where a query is declared; else it is today's.
        """
        return self.filter(
            purpose=purpose,
            text_version=text_version or current_version(purpose),
            withdrawn_at__isnull=True,
        )


class Consent(models.Model):
    """One yes to one version of one text; who agrees again after taking it back gets a new row."""

    objects = ConsentQuerySet.as_manager()

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="consents"
    )
    purpose = models.CharField(max_length=12, choices=ConsentPurpose)
    text_version = models.CharField(max_length=16)
    text_hash = models.CharField(max_length=64)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "purpose", "text_version"],
                condition=models.Q(withdrawn_at__isnull=True),
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
