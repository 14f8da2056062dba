"""Close a question about money that is not a waiting return.

Closing by hand moves nothing: a person says what was done outside and answers for it. What is owed
is not closed so: a refund that ended declined is sent once more under a new number for the same
debt, or handed out in cash.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.locks import review_lock
from billing.models import BillingReview, PaymentTransaction, ReviewReason, TransactionKind
from billing.services.refunding.refund_reissues import (
    refund_hand_out,
    refund_lost_confirm,
    refund_reissue,
)
from billing.services.refunding.refunds import refund_is_owed, refund_subject
from billing.services.refunding.return_reviews import RETURN_REASONS
from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound
from core.failpoints import failpoint
from core.review import ReviewStatus, review_decide

DECIDED_ELSEWHERE = frozenset({ReviewReason.HOSPITAL_BEARS})


def refund_review_reissue(*, review_id: int, by: Actor, comment: str = "") -> PaymentTransaction:
    """Send a declined refund again under a new number, and close its case.

    Raises NotFound, Conflict (decided already, not about a declined refund, not lost), Forbidden.
    """
    return _given_again(review_id, by, comment, refund_reissue)


def refund_review_hand_out(*, review_id: int, by: Actor, comment: str = "") -> PaymentTransaction:
    """Book a declined refund out of the drawer of who decides, and close its case: what returns is
    the word to hand the notes out.

    Raises as `refund_review_reissue`; then nothing is booked, and nothing handed out.
    """
    refund = _given_again(review_id, by, comment, refund_hand_out)
    failpoint("hand_out.committed")
    return refund


def _given_again(
    review_id: int, by: Actor, comment: str, write: Callable[..., PaymentTransaction]
) -> PaymentTransaction:
    """The channel is asked first, with nothing locked; then number and decision are one: whoever
    decided in between leaves no second number behind."""
    declined_id = _declined_refund(review_id, by, comment)
    refund_lost_confirm(transaction_id=declined_id)
    with transaction.atomic():
        review = _locked(review_id)
        to = ReviewStatus.APPROVED
        decide = partial(review_decide, review=review, to=to, by=by, comment=comment)
        return write(transaction_id=declined_id, by=by, decide=decide)


def _declined_refund(review_id: int, by: Actor, comment: str) -> int:
    """The declined refund of a case that this person may decide so; nothing is kept."""
    with transaction.atomic():
        review = _locked(review_id)
        if review.reason_code != ReviewReason.REFUND_DECLINED or review.transaction_id is None:
            raise Conflict("not_declined", _("This case is not about a declined refund."))
        review_decide(review=review, to=ReviewStatus.APPROVED, by=by, comment=comment)
        transaction.set_rollback(True)
        return review.transaction_id


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
        if review.reason_code in DECIDED_ELSEWHERE:
            raise Conflict("is_asked", _("What is asked of the hospital is approved or sent back."))
        if review.transaction is not None and _is_owed(review.transaction):
            raise Conflict(
                "still_owed",
                _("This refund is still owed. Send it again, or hand it out in cash."),
            )
        if not comment.strip():
            raise BadInput("comment_missing", _("Say what was done."), "comment")
        review_decide(review=review, to=to, by=by, comment=comment)
    return review


def _is_owed(row: PaymentTransaction) -> bool:
    """A declined refund whose debt nothing else pays: a word alone does not settle it."""
    ended = row.kind == TransactionKind.REFUND and row.status in row.LOST
    again = PaymentTransaction.objects.filter(reissue_of=refund_subject(row))
    return ended and refund_is_owed(row) and not again.exclude(status__in=row.LOST).exists()


def _locked(review_id: int) -> BillingReview:
    try:
        return review_lock(review_id)[0]
    except BillingReview.DoesNotExist:
        raise NotFound("unknown_review", _("There is no such case.")) from None
