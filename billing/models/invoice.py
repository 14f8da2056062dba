"""One payable bill (缴费单): frozen charges, one visit one payment or in-room settlement (诊间)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Right
from django.utils.translation import gettext_lazy as _

from billing.models.charge import ChargeItem
from insurance.models import Claim
from patients.models import Encounter, HisClient, Patient

# What a message tells a payer of a bill's number, and what the desk finds it by.
INVOICE_TAIL = 6


class InvoiceStatus(models.TextChoices):
    DRAFT = "DRAFT", _("draft")
    PRICING = "PRICING", _("being priced")
    ISSUED = "ISSUED", _("to pay")
    COLLECTING = "COLLECTING", _("being collected")
    PROCESSING = "PROCESSING", _("in progress")
    PAID = "PAID", _("paid")
    RESETTLING = "RESETTLING", _("being settled again")
    PARTLY_REFUNDED = "PARTLY_REFUNDED", _("part refunded")
    REFUNDED = "REFUNDED", _("refunded")
    CANCELLED = "CANCELLED", _("cancelled")
    REVIEW = "REVIEW", _("under review")


S = InvoiceStatus


class Invoice(models.Model):
    """What one visit owes. The cash part is `cash_fen`; without insurance it is the whole amount.

    The five parts (fund, own account, mutual aid, hospital part, cash) are null until priced with
    a coverage; together they sum to `priced_fen`, which is the amount less what was given back
    since. `claim` is the newest claim of the bill, `settled_at` when its part was posted: until
    then what the claim will pay is owed and yet not to be collected. `action` and `decline_code`
    are what the last collect left for the HIS to show; the address of a pay link is not in it, but
    made from the link when it is read (`billing.selectors.pay_links`).
    """

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        S.DRAFT: frozenset({S.PRICING, S.ISSUED, S.CANCELLED}),
        S.PRICING: frozenset({S.ISSUED, S.COLLECTING, S.CANCELLED, S.REVIEW}),
        S.ISSUED: frozenset({S.PRICING, S.COLLECTING, S.PAID, S.CANCELLED, S.REVIEW}),
        S.COLLECTING: frozenset({S.PRICING, S.ISSUED, S.PROCESSING, S.PAID, S.REVIEW}),
        S.PROCESSING: frozenset({S.PRICING, S.ISSUED, S.COLLECTING, S.PAID, S.REVIEW}),
        S.PAID: frozenset({S.RESETTLING, S.PARTLY_REFUNDED, S.REFUNDED, S.REVIEW}),
        S.RESETTLING: frozenset({S.PAID, S.PARTLY_REFUNDED, S.REFUNDED, S.REVIEW}),
        S.PARTLY_REFUNDED: frozenset({S.RESETTLING, S.REFUNDED, S.REVIEW}),
        S.REFUNDED: frozenset({S.PARTLY_REFUNDED}),
        S.REVIEW: frozenset(
            {
                S.ISSUED,
                S.PROCESSING,
                S.PAID,
                S.RESETTLING,
                S.PARTLY_REFUNDED,
                S.REFUNDED,
                S.CANCELLED,
            }
        ),
    }
    OPEN: ClassVar[frozenset[str]] = frozenset({S.PRICING, S.ISSUED, S.COLLECTING, S.PROCESSING})
    # The drive has the next word.
    DRIVEN: ClassVar[frozenset[str]] = frozenset(
        {S.PRICING, S.COLLECTING, S.PROCESSING, S.RESETTLING}
    )
    PAID_ONCE: ClassVar[frozenset[str]] = frozenset(
        {S.PAID, S.RESETTLING, S.PARTLY_REFUNDED, S.REFUNDED}
    )

    # What the returns that are done say of a paid bill; while one is settled anew they wait.
    RETURNED: ClassVar[frozenset[str]] = frozenset({S.PAID, S.PARTLY_REFUNDED, S.REFUNDED})

    client = models.ForeignKey(HisClient, on_delete=models.PROTECT)
    invoice_no = models.CharField(max_length=64, db_index=True)
    encounter = models.ForeignKey(Encounter, on_delete=models.PROTECT, related_name="invoices")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="invoices")
    status = models.CharField(max_length=16, choices=InvoiceStatus, default=InvoiceStatus.DRAFT)
    amount_fen = models.BigIntegerField()
    fund_fen = models.BigIntegerField(null=True, blank=True)
    own_account_fen = models.BigIntegerField(null=True, blank=True)
    mutual_aid_fen = models.BigIntegerField(null=True, blank=True)
    hospital_part_fen = models.BigIntegerField(null=True, blank=True)
    cash_fen = models.BigIntegerField()
    priced_fen = models.BigIntegerField(null=True, blank=True)
    claim = models.ForeignKey(
        Claim,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="invoices",
        db_index=False,
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    priced_at = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateTimeField(null=True, blank=True)
    action = models.JSONField(null=True, blank=True)
    decline_code = models.CharField(max_length=64, blank=True)
    event_seq = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="how often our own work on it broke off"
    )
    operator_code = models.CharField(max_length=64)
    operator_name = models.CharField(max_length=100)
    input_hash = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("bill")
        verbose_name_plural = _("bills")
        permissions: ClassVar = [
            ("collect_invoice", "Can take a payment at the window"),
            ("return_invoice", "Can ask for a return"),
            ("pass_over_tender", "Can go on while a payment is unconfirmed"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "invoice_no"], name="invoice_unique"),
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0), name="invoice_amount_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(cash_fen__gte=0, cash_fen__lte=models.F("amount_fen")),
                name="invoice_cash_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    fund_fen__isnull=True,
                    priced_fen__isnull=True,
                    cash_fen=models.F("amount_fen"),
                )
                | models.Q(
                    priced_fen__lte=models.F("amount_fen"),
                    priced_fen=models.F("fund_fen")
                    + models.F("own_account_fen")
                    + models.F("mutual_aid_fen")
                    + models.F("hospital_part_fen")
                    + models.F("cash_fen"),
                ),
                name="invoice_parts_sum",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], name="invoice_due", condition=models.Q(due_at__isnull=False)
            ),
            models.Index(Right("invoice_no", INVOICE_TAIL), name="invoice_tail"),
        ]

    def __str__(self) -> str:
        return self.invoice_no

    @property
    def unpriced(self) -> bool:
        """Insured, and what the insurer pays is not known: no part of it is the patient's yet."""
        return self.status in self.OPEN and self.claim_id is not None and self.fund_fen is None

    @property
    def awaited_fen(self) -> int:
        """What its claim will pay once it is settled: owed until then, and not to be collected."""
        if self.claim_id is None or self.settled_at is not None or self.priced_fen is None:
            return 0
        return self.priced_fen - self.cash_fen

    @property
    def tail(self) -> str:
        """What a payer is told of its number."""
        return self.invoice_no[-INVOICE_TAIL:]


class InvoiceLine(models.Model):
    """A charge frozen on an invoice. What came back is counted here, never above the line."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    charge = models.ForeignKey(ChargeItem, on_delete=models.PROTECT, related_name="invoice_lines")
    amount_fen = models.BigIntegerField()
    quantity = models.DecimalField(max_digits=14, decimal_places=4)
    returned_fen = models.BigIntegerField(default=0)
    returned_quantity = models.DecimalField(max_digits=14, decimal_places=4, default=0)
    live = models.BooleanField(default=True, help_text="false once the invoice is cancelled")

    class Meta:
        verbose_name = _("bill line")
        verbose_name_plural = _("bill lines")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["charge"], condition=models.Q(live=True), name="charge_on_one_live_invoice"
            ),
            models.CheckConstraint(
                condition=models.Q(returned_fen__gte=0, returned_fen__lte=models.F("amount_fen")),
                name="line_returned_in_range",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    returned_quantity__gte=0, returned_quantity__lte=models.F("quantity")
                ),
                name="line_returned_quantity_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.charge.item_name
