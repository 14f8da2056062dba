"""A cashier's shift (班次): it opens by itself at the first cash take."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class ShiftStatus(models.TextChoices):
    OPEN = "OPEN", _("open")
    CLOSED = "CLOSED", _("closed")


class Shift(models.Model):
    """Cash taken by one cashier; its ledger account is cash_drawer/{shift_no}."""

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        ShiftStatus.OPEN: frozenset({ShiftStatus.CLOSED}),
    }

    shift_no = models.CharField(max_length=32, unique=True)
    cashier = models.CharField(max_length=72, help_text="staff:<user> or his:<operator>")
    status = models.CharField(max_length=8, choices=ShiftStatus, default=ShiftStatus.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["cashier"],
                condition=models.Q(status=ShiftStatus.OPEN),
                name="shift_one_open_per_cashier",
            ),
        ]

    def __str__(self) -> str:
        return self.shift_no
