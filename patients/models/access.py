"""Which user may see or pay for which patient, and where a user's messages go."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from patients.models.patient import Patient


class Relation(models.TextChoices):
    SELF = "self", _("self")
    CHILD = "child", _("child")
    PARENT = "parent", _("parent")
    SPOUSE = "spouse", _("spouse")
    OTHER = "other", _("other")


class PatientAccess(models.Model):
    """A bound patient card (绑卡): `may_view` and `may_pay` are separate grants."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="patient_access"
    )
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="access")
    relation = models.CharField(max_length=8, choices=Relation)
    may_view = models.BooleanField(default=False)
    may_pay = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "patient"], name="patient_access_unique"),
        ]
        verbose_name = _("patient access")
        verbose_name_plural = _("patient access")


class WalletIdentity(models.Model):
    """The user's id at a channel's app (openid); per app id, never shared between apps."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="wallet_identities"
    )
    channel = models.CharField(max_length=20)
    app_id = models.CharField(max_length=64)
    subject = models.CharField(max_length=128)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["channel", "app_id", "subject"], name="wallet_identity_unique"
            ),
        ]
        verbose_name = _("wallet identity")
        verbose_name_plural = _("wallet identities")
