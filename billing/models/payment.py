"""Every movement of money is one `PaymentTransaction`: the channel says how, the purpose why."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.agreement import Agreement
from billing.models.collect import CollectRequest
from billing.models.institution import Merchant
from billing.models.invoice import Invoice
from billing.models.shift import Shift
from core import clock


class Payment(models.Model):
    """A tender: the intent to pay an amount by one way. Its state is that of its capture."""

    payment_no = models.CharField(max_length=32, unique=True)
    purpose = models.CharField(max_length=20)
    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="payments"
    )
    collect = models.ForeignKey(
        CollectRequest, null=True, blank=True, on_delete=models.PROTECT, related_name="payments"
    )
    channel = models.CharField(max_length=20)
    mode = models.CharField(max_length=12)
    merchant = models.ForeignKey(
        Merchant, null=True, blank=True, on_delete=models.PROTECT, db_index=False
    )
    agreement = models.ForeignKey(
        Agreement, null=True, blank=True, on_delete=models.PROTECT, db_index=False
    )
    shift = models.ForeignKey(Shift, null=True, blank=True, on_delete=models.PROTECT)
    payer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT
    )
    amount_fen = models.BigIntegerField()
    form_key = models.CharField(
        max_length=64, null=True, blank=True, unique=True, help_text="one effect per rendered form"
    )
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0), name="payment_amount_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.payment_no


class TransactionKind(models.TextChoices):
    CAPTURE = "CAPTURE", _("capture")
    REFUND = "REFUND", _("refund")


class TransactionStatus(models.TextChoices):
    CREATED = "CREATED", _("number committed")
    PENDING = "PENDING", _("in progress")
    UNKNOWN = "UNKNOWN", _("unknown")
    SUCCEEDED = "SUCCEEDED", _("succeeded")
    DECLINED = "DECLINED", _("declined")
    CLOSED = "CLOSED", _("closed")


T = TransactionStatus
_ENDS = frozenset({T.SUCCEEDED, T.DECLINED, T.CLOSED})


class PaymentTransaction(models.Model):
    """One movement under `number` (out_trade_no, out_refund_no), committed before the call.

    It is in flight from CREATED until SUCCEEDED, DECLINED or *confirmed* CLOSED. A success that
    arrives after CLOSED or DECLINED is unexpected money. `due_at` is when to look again: null =
    final. A REFUND names the captured `original`.
    """

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        T.CREATED: frozenset({T.PENDING, T.UNKNOWN}) | _ENDS,
        T.PENDING: frozenset({T.UNKNOWN}) | _ENDS,
        T.UNKNOWN: frozenset({T.PENDING}) | _ENDS,
        T.DECLINED: frozenset({T.SUCCEEDED}),
        T.CLOSED: frozenset({T.SUCCEEDED}),
        # A refund that reached the payer's account and came back (退票): it is owed again.
        T.SUCCEEDED: frozenset({T.PENDING}),
    }
    IN_FLIGHT: ClassVar[frozenset[str]] = frozenset({T.CREATED, T.PENDING, T.UNKNOWN})
    # The payer's next step opens their payment; its trace says only which kind and until when.
    UNTRACED: ClassVar[frozenset[str]] = frozenset({"value"})
    TAKEN_OR_OPEN: ClassVar[frozenset[str]] = IN_FLIGHT | {T.SUCCEEDED}
    # Nothing was taken, or given back, under these; a late success may still contradict them.
    LOST: ClassVar[frozenset[str]] = frozenset({T.DECLINED, T.CLOSED})
    # `is_waited_for`, for a query.
    WAITED_FOR: ClassVar[models.Q] = models.Q(status__in=IN_FLIGHT, passed_over_at=None)

    # What its bill owes: read beside the row when it is locked (`billing.locks.transaction_lock`).
    owed_fen: int

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="transactions")
    kind = models.CharField(max_length=8, choices=TransactionKind)
    number = models.CharField(max_length=32, unique=True)
    status = models.CharField(
        max_length=10, choices=TransactionStatus, default=TransactionStatus.CREATED
    )
    amount_fen = models.BigIntegerField()
    original = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="refunds"
    )
    reissue_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="reissues",
        db_index=False,
        help_text="the first refund of this debt, when that one ended declined",
    )
    invoice_return = models.ForeignKey(
        "billing.InvoiceReturn",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="refunds",
    )
    agreement = models.ForeignKey(
        Agreement, null=True, blank=True, on_delete=models.PROTECT, db_index=False
    )
    business_day = models.DateField()
    channel_no = models.CharField(max_length=64, blank=True, db_index=True)
    code = models.CharField(max_length=64, blank=True)
    message = models.CharField(max_length=256, blank=True)
    action = models.JSONField(null=True, blank=True)
    not_found_count = models.PositiveSmallIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="how often our own work on it broke off"
    )
    came_back_count = models.PositiveSmallIntegerField(default=0)
    closing = models.BooleanField(default=False, help_text="deadline passed: close or reverse")
    passed_over_at = models.DateTimeField(
        null=True, blank=True, help_text="a cashier went on although it was not confirmed"
    )
    due_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    occurred_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("payment transaction")
        verbose_name_plural = _("payment transactions")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(amount_fen__gt=0), name="transaction_amount_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="CAPTURE", original__isnull=True)
                | models.Q(kind="REFUND", original__isnull=False),
                name="transaction_refund_has_original",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], name="transaction_due", condition=models.Q(due_at__isnull=False)
            ),
            models.Index(
                fields=["agreement", "business_day"],
                name="transaction_agreement_day",
                condition=models.Q(agreement__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_waited_for(self) -> bool:
        """It stands in the way of every other tender, unless a cashier took it upon them to go on:
        what a passed-over tender still brings is unexpected money."""
        return self.status in self.IN_FLIGHT and self.passed_over_at is None


class PaymentNotice(models.Model):
    """What a channel told us (异步通知), stored once verified and before it is acted on.

    `event_no` is unique for a merchant, so a repeated delivery is recognised, and by `content_hash`
    one that says something else under the number. While a task must still act on it, `due_at` is
    when a sweeper takes it up; it moves back with every failed attempt, so that a notice nobody can
    apply never stands before the others.
    """

    channel = models.CharField(max_length=20)
    merchant = models.ForeignKey(Merchant, null=True, blank=True, on_delete=models.PROTECT)
    kind = models.CharField(max_length=12)
    event_no = models.CharField(max_length=100)
    number = models.CharField(max_length=64, db_index=True)
    facts = models.JSONField(default=dict)
    transaction = models.ForeignKey(
        PaymentTransaction, null=True, blank=True, on_delete=models.PROTECT, related_name="notices"
    )
    outcome = models.CharField(max_length=100, blank=True)
    deliveries = models.PositiveIntegerField(default=1)
    content_hash = models.CharField(max_length=64, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True, default=clock.now)
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("payment notice")
        verbose_name_plural = _("payment notices")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["channel", "merchant", "event_no"],
                name="notice_unique",
                nulls_distinct=False,
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], name="notice_due", condition=models.Q(applied_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.number
