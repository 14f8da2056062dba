"""Open a question for a person, once per reason and row."""

from __future__ import annotations

from typing import Any

from billing.models import (
    BillingReview,
    Invoice,
    InvoiceReturn,
    PaymentNotice,
    PaymentTransaction,
    ReviewReason,
)
from core import clock
from core.actors import SYSTEM, Actor
from core.review import ReviewStatus


def review_open(
    *,
    reason: ReviewReason,
    figures: dict[str, Any],
    invoice: Invoice | None = None,
    transaction: PaymentTransaction | None = None,
    notice: PaymentNotice | None = None,
    invoice_return: InvoiceReturn | None = None,
    by: Actor = SYSTEM,
) -> BillingReview:
    """The open case of this reason about this row, opened now if there is none.

    Called under the lock of the row it is about, so two cannot open the same question.
    """
    rows = {
        "transaction": transaction,
        "notice": notice,
        "invoice_return": invoice_return,
        "invoice": invoice,
    }
    about = next(({name: row} for name, row in rows.items() if row is not None), {})
    known = BillingReview.objects.filter(
        reason_code=reason, status=ReviewStatus.OPEN, **about
    ).first()
    if known is not None:
        return known
    return BillingReview.objects.create(
        reason_code=reason,
        summary=str(reason.label),
        figures=figures,
        opened_by=by.key,
        opened_at=clock.now(),
        **rows,
    )
