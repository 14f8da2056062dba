"""What the HIS is told, in order, until it says it heard."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.invoice import Invoice
from patients.models import HisClient


class EventType(models.TextChoices):
    PRICED = "priced", _("priced")
    ACTION_REQUIRED = "action_required", _("action required")
    PAID = "paid", _("paid")
    DECLINED = "declined", _("declined")
    CANCELLED = "cancelled", _("cancelled")
    REFUND_ACCEPTED = "refund_accepted", _("refund accepted")
    REFUNDED = "refunded", _("refunded")
    REFUND_FAILED = "refund_failed", _("refund failed")
    REVIEW = "review", _("review")


class HisEvent(models.Model):
    """`seq` counts per invoice, given under its lock. `event_id` is given by the relay when it
    publishes (one publisher at a time), so a reader who pages by it never misses one."""

    client = models.ForeignKey(HisClient, on_delete=models.PROTECT)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="events")
    seq = models.PositiveIntegerField()
    type = models.CharField(max_length=20, choices=EventType)
    data = models.JSONField(default=dict)
    event_id = models.BigIntegerField(null=True, blank=True, unique=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("HIS event")
        verbose_name_plural = _("HIS events")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["invoice", "seq"], name="event_seq_unique"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["id"], name="event_unpublished", condition=models.Q(event_id__isnull=True)
            ),
            models.Index(
                fields=["due_at"], name="event_due", condition=models.Q(due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.invoice.invoice_no} {self.get_type_display()}"
