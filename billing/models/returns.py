"""Goods or services given back (退费), by line and quantity."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.invoice import Invoice, InvoiceLine
from patients.models import HisClient


class ReturnStatus(models.TextChoices):
    ACCEPTED = "ACCEPTED", _("accepted")
    REVIEW = "REVIEW", _("under review")
    DONE = "DONE", _("done")
    FAILED = "FAILED", _("failed")
    REJECTED = "REJECTED", _("rejected")


R = ReturnStatus


class InvoiceReturn(models.Model):
    """One return of the caller. The maker never approves: both codes are kept and compared; one
    asked for at the window has no approver until its review.

    FAILED means that a refund part ended declined: the money is still owed (refund_payable) and a
    review case asks a person for the next route.
    """

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        R.REVIEW: frozenset({R.ACCEPTED, R.REJECTED}),
        R.ACCEPTED: frozenset({R.DONE, R.FAILED, R.REJECTED}),
        R.DONE: frozenset({R.ACCEPTED}),
        R.FAILED: frozenset({R.ACCEPTED, R.DONE}),
    }

    client = models.ForeignKey(HisClient, on_delete=models.PROTECT)
    refund_no = models.CharField(max_length=64)
    input_hash = models.CharField(max_length=64)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="returns")
    status = models.CharField(max_length=8, choices=ReturnStatus)
    amount_fen = models.BigIntegerField()
    cash_fen = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="what goes back to the payers; empty: all of it, for no insurance paid a part",
    )
    reason = models.CharField(max_length=200)
    operator_code = models.CharField(max_length=64)
    operator_name = models.CharField(max_length=100)
    approver_code = models.CharField(max_length=64)
    approver_name = models.CharField(max_length=100)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "refund_no"], name="return_unique"),
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0), name="return_amount_positive"
            ),
            models.CheckConstraint(
                condition=~models.Q(operator_code__iexact=models.F("approver_code")),
                name="return_maker_is_not_checker",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=[R.REVIEW, R.REJECTED])
                | models.Q(approver_code__gt=""),
                name="return_let_go_by_someone",
            ),
        ]

    def __str__(self) -> str:
        return self.refund_no


class ReturnLine(models.Model):
    invoice_return = models.ForeignKey(
        InvoiceReturn, on_delete=models.PROTECT, related_name="lines"
    )
    line = models.ForeignKey(InvoiceLine, on_delete=models.PROTECT, related_name="returns")
    quantity = models.DecimalField(max_digits=14, decimal_places=4)
    amount_fen = models.BigIntegerField()

    class Meta:
        verbose_name = _("return line")
        verbose_name_plural = _("return lines")

    def __str__(self) -> str:
        return f"{self.line} × {self.quantity.normalize():f}"
