"""What the HIS asked us to collect, and the offer a patient pays by."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.invoice import Invoice
from core.crypto import BlindIndexField, EncryptedField
from patients.models import HisClient, Patient


class CollectMethod(models.TextChoices):
    AUTO = "auto", _("automatic")
    SCAN = "scan", _("scan the payer's code")
    ONE_CODE = "one_code", _("insurance one-code")
    FACE = "face", _("face")
    AGREEMENT = "agreement", _("deduction agreement")
    CREDIT = "credit", _("pay later")
    DEPOSIT = "deposit", _("deposit")
    PAY_LINK = "pay_link", _("pay link")
    POS = "pos", _("card terminal")
    CASH = "cash", _("cash")


# What is presented says whose visit it is, and so opens the insurance of the bill.
CODE_METHODS = frozenset({CollectMethod.ONE_CODE, CollectMethod.FACE})


class CollectStatus(models.TextChoices):
    RUNNING = "RUNNING", _("running")
    PAID = "PAID", _("paid")
    ACTION_REQUIRED = "ACTION_REQUIRED", _("action required")
    DECLINED = "DECLINED", _("declined")
    JOINED = "JOINED", _("joined another request")


class CollectRequest(models.Model):
    """One `collect` of the caller: unique number with its input's hash, at most one running.

    `auth_code` is the payer's one-time code; it is wiped when the request ends.
    """

    TRANSITIONS: ClassVar[dict[str, frozenset[str]]] = {
        CollectStatus.RUNNING: frozenset(
            {CollectStatus.PAID, CollectStatus.ACTION_REQUIRED, CollectStatus.DECLINED}
        ),
        # The insurance code it asked for was shown: it goes on where it stopped.
        CollectStatus.ACTION_REQUIRED: frozenset({CollectStatus.RUNNING}),
    }

    # Read beside the row when it is locked to be driven (`billing.locks.collect_lock`).
    owed_fen: int
    was_tried: bool

    client = models.ForeignKey(HisClient, on_delete=models.PROTECT)
    request_no = models.CharField(max_length=64)
    input_hash = models.CharField(max_length=64)
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="collects")
    joined = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_index=False,
        help_text="the request that ran when this one came; it answers for both",
    )
    method = models.CharField(max_length=12, choices=CollectMethod)
    auth_code = EncryptedField(blank=True, default="")
    code_read_at = models.DateTimeField(
        null=True, blank=True, help_text="when the insurer said whose code or face it is"
    )
    status = models.CharField(max_length=16, choices=CollectStatus, default=CollectStatus.RUNNING)
    decline_code = models.CharField(max_length=64, blank=True)
    operator_kind = models.CharField(max_length=8, default="his", help_text="his or staff")
    operator_code = models.CharField(max_length=64)
    operator_name = models.CharField(max_length=100)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("collect request")
        verbose_name_plural = _("collect requests")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "request_no"], name="collect_unique"),
            models.UniqueConstraint(
                fields=["invoice"],
                condition=models.Q(status=CollectStatus.RUNNING),
                name="collect_one_running",
            ),
        ]

    def __str__(self) -> str:
        return self.request_no


class PayLink(models.Model):
    """An offer, not a tender: no channel order exists until the patient opens it and chooses.

    Whoever holds the token sees the bill, so it lies encrypted and is found by its blind index.
    """

    token = EncryptedField()
    token_index = BlindIndexField(source="token", purpose="pay_link", unique=True)
    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="pay_link")
    # Whom the token was sent to, as a keyed hash: for others there is another token.
    receivers = models.CharField(max_length=64, blank=True, default="", db_default="")
    # The guardian it went to, of a minor; once that is another's word it shows no charges.
    guardian = models.ForeignKey(
        Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("pay link")
        verbose_name_plural = _("pay links")

    def __str__(self) -> str:
        return self.invoice.invoice_no
