"""Close a question about money that is not a waiting return.

Settling by hand moves nothing: a person says what was done outside and answers for it. A refund
that ended declined may be sent once more, under a new number for the same debt.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.locks import review_lock
from billing.models import BillingReview, PaymentTransaction, ReviewReason
from billing.services.refund_reissues import refund_reissue
from billing.services.refunds import refund_subject
from billing.services.return_reviews import RETURN_REASONS
from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound
from core.review import ReviewStatus, review_decide


def refund_review_reissue(*, review_id: int, by: Actor, comment: str = "") -> PaymentTransaction:
    """Send a declined refund again under a new number, and close its case.

    The channel is asked first, so this is no single transaction: the decision is tried and rolled
    back before the call, and made after it. A case left open in between is closed by pressing
    again. Raises NotFound, Conflict (decided already, not about a declined refund, not lost),
    Forbidden.
    """
    transaction_id = _may_reissue(review_id, by, comment)
    try:
        refund = refund_reissue(transaction_id=transaction_id, by=by)
    except Conflict as refusal:
        if refusal.code != "issued_again":
            raise
        refund = _sent_again(transaction_id)
    with transaction.atomic():
        review = _locked(review_id)
        review_decide(review=review, to=ReviewStatus.APPROVED, by=by, comment=comment)
    return refund


def _may_reissue(review_id: int, by: Actor, comment: str) -> int:
    """The declined refund of a case that this person may decide so; nothing is kept."""
    with transaction.atomic():
        review = _locked(review_id)
        if review.reason_code != ReviewReason.REFUND_DECLINED or review.transaction_id is None:
            raise Conflict("not_declined", _("This case is not about a declined refund."))
        review_decide(review=review, to=ReviewStatus.APPROVED, by=by, comment=comment)
        transaction.set_rollback(True)
        return review.transaction_id


def _sent_again(transaction_id: int) -> PaymentTransaction:
    """The newest number of the same debt: every later one names the first."""
    declined = PaymentTransaction.objects.get(pk=transaction_id)
    again = PaymentTransaction.objects.filter(reissue_of=refund_subject(declined))
    return again.latest("pk")


def review_close(*, review_id: int, by: Actor, comment: str) -> BillingReview:
    """Close a case as settled by hand; what was done must be said."""
    return _close(review_id, ReviewStatus.APPROVED, by, comment)


def review_dismiss(*, review_id: int, by: Actor, comment: str) -> BillingReview:
    """Close a case as nothing to be done; why must be said."""
    return _close(review_id, ReviewStatus.REJECTED, by, comment)


def _close(review_id: int, to: str, by: Actor, comment: str) -> BillingReview:
    with transaction.atomic():
        review = _locked(review_id)
        if review.reason_code in RETURN_REASONS:
            raise Conflict("is_a_return", _("A return is approved or rejected, not closed."))
        if not comment.strip():
            raise BadInput("comment_missing", _("Say what was done."), "comment")
        review_decide(review=review, to=to, by=by, comment=comment)
    return review


def _locked(review_id: int) -> BillingReview:
    try:
        return review_lock(review_id)[0]
    except BillingReview.DoesNotExist:
        raise NotFound("unknown_review", _("There is no such case.")) from None
