"""Which user may see or pay for which patient, and where a user's messages go."""

from __future__ import annotations

from typing import ClassVar, Self

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


class AccessEnd(models.TextChoices):
    """Who ended a binding."""

    USER = "user", _("ended by the user")
    PATIENT = "patient", _("ended by the patient")
    STAFF = "staff", _("ended at the desk")
    HANDED_OVER = "handed_over", _("the patient has another account now")


class PatientAccessQuerySet(models.QuerySet["PatientAccess"]):
    """Who holds whom, asked in one place."""

    def live(self) -> Self:
        return self.filter(ended_at__isnull=True)

    def own(self) -> Self:
        """Live, and of somebody's own person: by it a user is that patient."""
        return self.live().filter(relation=Relation.SELF)


class PatientAccess(models.Model):
    """A bound patient card (绑卡): `may_view` and `may_pay` are separate grants.

    `may_view` of a relative is given by the person alone. A guardian sees by being it, and only as
    long: that is no column but `sees`, which the selectors of bindings say of the rows they read.
    `by_guardian`: `may_pay` is not the person's own word but the guardian's of a child below 14. It
    ends when the child is of age, and when another guardian stands on record.

    An ended binding stays as evidence and grants nothing; the database keeps that, so that whoever
    asks for a grant need not ask whether the binding lives.
    """

    # Whether its user sees the patient's bills today: `patients.selectors.bindings.rights_said`.
    sees: bool

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="patient_access"
    )
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="access")
    relation = models.CharField(max_length=8, choices=Relation)
    may_view = models.BooleanField(default=False)
    may_pay = models.BooleanField(default=False)
    by_guardian = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_how = models.CharField(
        max_length=12, choices=AccessEnd, blank=True, default="", db_default=""
    )
    end_reason = models.CharField(max_length=200, blank=True, default="", db_default="")

    objects = PatientAccessQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "patient"],
                name="patient_access_live",
                condition=models.Q(ended_at__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["patient"],
                name="patient_access_one_self",
                condition=models.Q(ended_at__isnull=True, relation=Relation.SELF),
            ),
            models.UniqueConstraint(
                fields=["user"],
                name="patient_access_one_person",
                condition=models.Q(ended_at__isnull=True, relation=Relation.SELF),
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, ended_how="")
                | models.Q(ended_at__isnull=False, may_view=False, may_pay=False)
                & ~models.Q(ended_how=""),
                name="patient_access_ended",
            ),
        ]
        permissions: ClassVar = [("end_binding", "Can end a binding at the desk")]
        verbose_name = _("patient access")
        verbose_name_plural = _("patient access")

    def __str__(self) -> str:
        return f"{self.relation} {self.pk}"


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

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"
