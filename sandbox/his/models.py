"""What the HIS keeps of its own: visits, charges, bills and what it heard of them."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.db import models


class Visit(models.Model):
    """One encounter as the HIS registered it; `sent` once the portal has taken it."""

    encounter_no = models.CharField(max_length=64, unique=True)
    mrn = models.CharField(max_length=64)
    patient_name = models.CharField(max_length=64, blank=True)
    self_pay = models.BooleanField(default=True)
    sent = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.encounter_no


class Invoice(models.Model):
    """An invoice the HIS knows: issued from the console, or first heard of by an event.

    `amount_fen` is empty until an issue or an event has told it; it is what the HIS's own books
    count as charged, at `created_at`.
    """

    invoice_no = models.CharField(max_length=64, unique=True)
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, related_name="invoices")
    amount_fen = models.BigIntegerField(null=True)
    portal_status = models.CharField(max_length=32, blank=True)
    answer = models.JSONField(default=dict)
    collect_no = models.CharField(max_length=64, blank=True)
    last_seq = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.invoice_no


class Charge(models.Model):
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="charges")
    invoice = models.ForeignKey(Invoice, models.PROTECT, null=True, related_name="charges")
    charge_no = models.CharField(max_length=64, unique=True)
    code = models.CharField(max_length=32)
    name = models.CharField(max_length=128)
    category = models.CharField(max_length=8)
    unit = models.CharField(max_length=16)
    unit_price = models.DecimalField(max_digits=16, decimal_places=6)
    quantity = models.DecimalField(max_digits=12, decimal_places=4)
    amount_fen = models.BigIntegerField()
    sent = models.BooleanField(default=False)
    returned_quantity = models.DecimalField(max_digits=12, decimal_places=4, default=Decimal(0))
    returned_fen = models.BigIntegerField(default=0)
    ordered_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return self.charge_no

    @property
    def open_quantity(self) -> Decimal:
        return self.quantity - self.returned_quantity

    @property
    def open_fen(self) -> int:
        return self.amount_fen - self.returned_fen


class GoodsReturn(models.Model):
    """A return the HIS asked for; number and lines stay the same however often it is sent.

    The quantities are taken off the charges when the row is written and given back when the portal
    refuses, so that two returns at once cannot exceed a charge. `accepted` is unknown until an
    answer came.
    """

    refund_no = models.CharField(max_length=64, unique=True)
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="returns")
    lines = models.JSONField()
    amount_fen = models.BigIntegerField()
    reason = models.CharField(max_length=128)
    accepted = models.BooleanField(null=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.refund_no


class Step(models.Model):
    """What the HIS asked of the portal and how it went, in words: the person at the console reads
    these lines instead of a stack trace."""

    visit = models.ForeignKey(Visit, models.PROTECT, null=True, related_name="steps")
    at = models.DateTimeField()
    what = models.CharField(max_length=64)
    ok = models.BooleanField()
    words = models.TextField()

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        return f"{self.what}: {self.words}"


class Event(models.Model):
    """A signed event of the portal, kept once whatever the number of deliveries.

    `cancelled_fen` is what it takes off the HIS's books: a cancelled invoice or returned lines.
    """

    event_id = models.CharField(max_length=64, unique=True)
    invoice_no = models.CharField(max_length=64, db_index=True)
    seq = models.PositiveIntegerField()
    type = models.CharField(max_length=32)
    occurred_at = models.DateTimeField()
    data = models.JSONField(default=dict)
    cancelled_fen = models.BigIntegerField(default=0)
    received_at = models.DateTimeField()
    deliveries = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["invoice_no", "seq"], name="his_event_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.invoice_no} #{self.seq} {self.type}"
