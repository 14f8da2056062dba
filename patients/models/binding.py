"""A wish to bind a patient card, from the words typed to the code that proves the right to it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.crypto import EncryptedField
from patients.models.access import Relation
from patients.models.patient import IdType, Patient


class BindingStatus(models.TextChoices):
    WAITING = "WAITING", _("waiting for the code")
    BOUND = "BOUND", _("bound")
    OVER = "OVER", _("over")


class Binding(models.Model):
    """What a user typed, and how far it came.

    The row is made the same way whether or not there is such a person: the register is asked
    afterwards, so that neither the page nor its time tells. `outcome` says why no code was sent,
    and is for the desk only. The code is kept as a keyed hash and lives minutes; name and numbers
    are wiped when the wish has ended.
    """

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        BindingStatus.WAITING: frozenset({BindingStatus.BOUND, BindingStatus.OVER}),
    }

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="bindings"
    )
    relation = models.CharField(max_length=8, choices=Relation)
    name = EncryptedField(blank=True, default="")
    id_type = models.CharField(max_length=20, choices=IdType)
    id_number_index = models.CharField(max_length=64, blank=True, default="")
    card_no = EncryptedField(blank=True, default="")
    target = models.CharField(max_length=64)
    address = models.GenericIPAddressField(null=True, blank=True)
    patient = models.ForeignKey(
        Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="bindings"
    )
    status = models.CharField(max_length=8, choices=BindingStatus, default=BindingStatus.WAITING)
    outcome = models.CharField(max_length=24, blank=True, default="")
    code_hash = models.CharField(max_length=64, blank=True, default="")
    # The phone on record the code went to, as an index: at the end it must still be that one.
    sent_to = models.CharField(max_length=64, blank=True, default="", db_default="")
    sends_asked = models.PositiveSmallIntegerField(default=1)
    send_tries = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user", "created_at"], name="binding_user"),
            models.Index(fields=["target", "created_at"], name="binding_target"),
            models.Index(fields=["address", "created_at"], name="binding_address"),
            models.Index(
                fields=["due_at"],
                name="binding_due",
                condition=models.Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["expires_at"],
                name="binding_waits",
                condition=models.Q(status=BindingStatus.WAITING),
            ),
        ]
        verbose_name = _("binding")
        verbose_name_plural = _("bindings")

    def __str__(self) -> str:
        return f"{self.relation} {self.pk}"
