"""The clock's one row and the queue of notices."""

from __future__ import annotations

from django.db import models


class Clock(models.Model):
    """How far the sandbox's now is ahead of the machine's; one row, forward only."""

    offset_us = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"+{self.offset_us / 1e6:.0f} s"


class Notice(models.Model):
    """One message to the portal, delivered until it is acknowledged or given up."""

    class Status(models.TextChoices):
        WAITING = "WAITING"
        SENDING = "SENDING"
        DELIVERED = "DELIVERED"
        LOST = "LOST"
        GIVEN_UP = "GIVEN_UP"

    counterparty = models.CharField(max_length=32)
    sender = models.CharField(max_length=64)
    event = models.CharField(max_length=64)
    number = models.CharField(max_length=64, db_index=True)
    url = models.TextField()
    content_type = models.CharField(max_length=64)
    body = models.BinaryField()
    # The word an acknowledgement must contain; empty: the HTTP status decides.
    expects = models.CharField(max_length=32, blank=True)
    cadence = models.JSONField(default=list)
    spoilt = models.BooleanField(default=False)
    status = models.CharField(max_length=12, choices=Status, default=Status.WAITING)
    attempts = models.IntegerField(default=0)
    last_answer = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["status", "due_at"], name="notice_due"),)

    def __str__(self) -> str:
        return f"{self.event} {self.number}"
