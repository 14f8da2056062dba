"""Open a question for a person, once per reason and row."""

from __future__ import annotations

from typing import Any

from billing.models import (
    Agreement,
    BillingReview,
    EventType,
    Invoice,
    InvoiceReturn,
    PaymentNotice,
    PaymentTransaction,
    ReviewReason,
)
from billing.models.review import ABOUT
from billing.services.events.outbox import event_add
from core import clock
from core.actors import SYSTEM, Actor
from core.review import ReviewStatus

# What keeps a bill from ending: the HIS must not wait for an answer that time alone will not bring.
TOLD_TO_HIS = frozenset(
    {
        ReviewReason.AMOUNT_DIFFERS,
        ReviewReason.NOT_ENDED,
        ReviewReason.STATE_DIFFERS,
        ReviewReason.RETURN_DEARER,
        ReviewReason.RETURN_NOT_SETTLED,
        ReviewReason.CLAIM_NOT_REVERSED,
        ReviewReason.CLAIM_IN_REVIEW,
    }
)


def review_open(
    *,
    reason: ReviewReason,
    figures: dict[str, Any],
    invoice: Invoice | None = None,
    transaction: PaymentTransaction | None = None,
    notice: PaymentNotice | None = None,
    invoice_return: InvoiceReturn | None = None,
    agreement: Agreement | None = None,
    by: Actor = SYSTEM,
) -> BillingReview:
    """The open case of this reason about this row, opened now if there is none.

    Called under the lock of the row it is about; the database refuses a second open one.
    """
    rows = {
        "transaction": transaction,
        "notice": notice,
        "invoice_return": invoice_return,
        "invoice": invoice,
        "agreement": agreement,
    }
    about = next(({name: rows[name]} for name in ABOUT if rows[name] is not None), {})
    known = BillingReview.objects.filter(
        reason_code=reason, status=ReviewStatus.OPEN, **about
    ).first()
    if known is not None:
        return known
    if invoice is not None and reason in TOLD_TO_HIS:
        event_add(
            invoice=invoice,
            type=EventType.REVIEW,
            data={"reason": str(reason)},
            occurred_at=clock.now(),
        )
    return BillingReview.objects.create(
        reason_code=reason,
        summary=str(reason.label),
        figures=figures,
        opened_by=by.key,
        opened_at=clock.now(),
        **rows,
    )
