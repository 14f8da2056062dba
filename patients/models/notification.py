"""A message that must reach somebody, written in the transaction of what it tells (outbox)."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.crypto import EncryptedField
from patients.models.patient import Patient


class Messenger(models.TextChoices):
    WECHAT_TEMPLATE = "wechat_template", _("WeChat template message")
    SMS = "sms", _("text message")


class NotificationStatus(models.TextChoices):
    WAITING = "WAITING", _("waiting")
    SENT = "SENT", _("sent")
    GIVEN_UP = "GIVEN_UP", _("given up")


class Notification(models.Model):
    """One message to one receiver. `key` makes a second queueing of the same fact a no-op.

    `facts` holds only what a payer may read: hospital, masked name, amount, number's tail. `link`
    opens the bill to whoever holds it: it is encrypted, and wiped when the message has ended.
    """

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        NotificationStatus.WAITING: frozenset(
            {NotificationStatus.SENT, NotificationStatus.GIVEN_UP}
        ),
    }

    key = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=32)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, db_index=False
    )
    patient = models.ForeignKey(Patient, null=True, blank=True, on_delete=models.PROTECT)
    messenger = models.CharField(max_length=20, choices=Messenger)
    address = EncryptedField(blank=True, default="")
    facts = models.JSONField(default=dict)
    link = EncryptedField(blank=True, default="", db_default="")
    status = models.CharField(
        max_length=10, choices=NotificationStatus, default=NotificationStatus.WAITING
    )
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"],
                name="notification_due",
                condition=models.Q(due_at__isnull=False),
            ),
            # A reader's page is the newest of theirs, however many there are.
            models.Index(fields=["user", "-id"], name="notification_user"),
        ]
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
