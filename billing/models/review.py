"""What a person must decide about money."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from billing.models.agreement import Agreement
from billing.models.invoice import Invoice
from billing.models.payment import PaymentNotice, PaymentTransaction
from billing.models.returns import InvoiceReturn
from core.review import ReviewCase, ReviewStatus


class ReviewReason(models.TextChoices):
    RETURN_ABOVE_LIMIT = "return_above_limit", _("return above the limit")
    RETURN_AT_WINDOW = "return_at_window", _("return asked for at the window")
    REFUND_DECLINED = "refund_declined", _("refund declined by the channel")
    REFUND_ABNORMAL = "refund_abnormal", _("refund cannot reach the payer's account")
    REFUND_UNOWED = "refund_unowed", _("a refund came back that is not owed; keep the money")
    REFUNDED_TWICE = "refunded_twice", _("a refund left twice")
    AMOUNT_DIFFERS = "amount_differs", _("the channel's amount differs")
    STATE_DIFFERS = "state_differs", _("the channel contradicts itself")
    UNKNOWN_ORDER = "unknown_order", _("notice for an order we do not know")
    NOT_ENDED = "not_ended", _("no final answer in time")
    RETURN_DEARER = "return_dearer", _("the rest of a return would cost more")
    RETURN_NOT_SETTLED = "return_not_settled", _("the insurer does not settle a return")
    CLAIM_NOT_REVERSED = "claim_not_reversed", _("the insurer does not take a settlement back")
    CLAIM_IN_REVIEW = "claim_in_review", _("the insurer's answer cannot be believed")
    HOSPITAL_BEARS = "hospital_bears", _("the hospital is to bear a part")
    EVENT_NOT_DELIVERED = "event_not_delivered", _("the HIS does not take our events")
    WALLET_TAKEN = "wallet_taken", _("an agreement took from another account's wallet")


# What a case is about, the most particular first: `review_open` asks for it in this order.
ABOUT = ("transaction", "notice", "invoice_return", "invoice", "agreement")


def _one_open() -> list[models.UniqueConstraint]:
    """At most one open case per reason and row; a case is about the first row it names."""
    return [
        models.UniqueConstraint(
            fields=["reason_code", row],
            condition=models.Q(
                status=ReviewStatus.OPEN,
                **{f"{row}__isnull": False},
                **{f"{other}__isnull": True for other in ABOUT[:place]},
            ),
            name=f"review_one_open_{row}",
        )
        for place, row in enumerate(ABOUT)
    ]


class BillingReview(ReviewCase):
    """One question with the rows it is about; at most one open case per reason and row."""

    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="reviews"
    )
    transaction = models.ForeignKey(
        PaymentTransaction, null=True, blank=True, on_delete=models.PROTECT, related_name="reviews"
    )
    notice = models.ForeignKey(
        PaymentNotice, null=True, blank=True, on_delete=models.PROTECT, related_name="reviews"
    )
    invoice_return = models.ForeignKey(
        InvoiceReturn, null=True, blank=True, on_delete=models.PROTECT, related_name="reviews"
    )
    agreement = models.ForeignKey(
        Agreement, null=True, blank=True, on_delete=models.PROTECT, related_name="reviews"
    )
    figures = models.JSONField(default=dict)

    class Meta(ReviewCase.Meta):
        verbose_name = _("billing review")
        verbose_name_plural = _("billing reviews")
        constraints: ClassVar = [*ReviewCase.Meta.constraints, *_one_open()]
        permissions: ClassVar = [("decide_billingreview", "Can decide billing reviews")]

    def __str__(self) -> str:
        return self.summary or self.reason_code
