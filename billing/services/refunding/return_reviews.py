"""A second person decides a return that waits for one: the case and the return move together.

Maker and checker are compared twice, by the return (who asked for it) and by the case (who opened
it); a superuser is a person like any other.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.locks import review_lock
from billing.models import BillingReview, InvoiceReturn, ReviewReason
from billing.services.refunding.returns import return_approve, return_reject
from core.actors import Actor
from core.errors import Conflict, NotFound
from core.review import ReviewStatus, review_decide

RETURN_REASONS = frozenset({ReviewReason.RETURN_ABOVE_LIMIT, ReviewReason.RETURN_AT_WINDOW})


def return_review_approve(*, review_id: int, by: Actor, comment: str = "") -> InvoiceReturn:
    """Let the return go: its money is owed from now on and sent back by the way it came.

    Raises NotFound, Conflict (decided already, or no return), Forbidden for the maker.
    """
    with transaction.atomic():
        review, return_id = _locked(review_id)
        review_decide(review=review, to=ReviewStatus.APPROVED, by=by, comment=comment)
        return return_approve(return_id=return_id, by=by)


def return_review_reject(*, review_id: int, by: Actor, comment: str) -> InvoiceReturn:
    """Refuse the return and free its lines; the comment is what the asker reads."""
    with transaction.atomic():
        review, return_id = _locked(review_id)
        review_decide(review=review, to=ReviewStatus.REJECTED, by=by, comment=comment)
        return return_reject(return_id=return_id, by=by, comment=comment.strip())


def _locked(review_id: int) -> tuple[BillingReview, int]:
    try:
        review, _invoice = review_lock(review_id)
    except BillingReview.DoesNotExist:
        raise NotFound("unknown_review", _("There is no such case.")) from None
    if review.reason_code not in RETURN_REASONS or review.invoice_return_id is None:
        raise Conflict("not_a_return", _("This case is not about a return."))
    return review, review.invoice_return_id
