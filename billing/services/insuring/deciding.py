"""What a person decides about a bill whose settlement could not be taken back or made anew."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.locks import return_held, review_lock
from billing.models import (
    BillingReview,
    CourseStep,
    InsuredCourse,
    Invoice,
    InvoiceStatus,
    ReviewReason,
    Why,
)
from billing.services.insuring.lost import loss_refuse
from billing.services.insuring.opening import course_of, course_set
from billing.services.refunding.giving_back import bill_after_returns
from billing.services.refunding.return_refusals import return_refuse
from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound
from core.review import ReviewStatus, review_decide
from core.states import transition

INSURED_REASONS = frozenset(
    {
        ReviewReason.RETURN_DEARER,
        ReviewReason.RETURN_NOT_SETTLED,
        ReviewReason.CLAIM_NOT_REVERSED,
    }
)


def claim_review_again(*, review_id: int, by: Actor, comment: str = "") -> Invoice:
    """Ask the insurer once more, from where it stopped. Nobody is debited by it: a dearer rest
    comes back to a person. Raises NotFound, Conflict (decided already, no such case, or a loss of
    the settlement that is to be taken back stands)."""
    with transaction.atomic():
        review, invoice, course = insured_case(review_id)
        if course.step == CourseStep.REVERSE:
            loss_refuse(invoice)
        review_decide(review=review, to=ReviewStatus.APPROVED, by=by, comment=comment)
        asking_end(invoice, by, comment)
        to = InvoiceStatus.RESETTLING if course.why == Why.RETURN else InvoiceStatus.PROCESSING
        course_set(course, CourseStep(course.step))
        transition(invoice, to, by=by, reason=comment, due_at=clock.now())
    return invoice


def claim_review_leave(*, review_id: int, by: Actor, comment: str) -> Invoice:
    """Let the old settlement stand: a return is given up and its lines are free, and nothing
    leaves. Raises as `claim_review_again`, and Conflict where no settlement stands any more."""
    if not comment.strip():
        raise BadInput("comment_missing", _("Say what was done."), "comment")
    with transaction.atomic():
        review, invoice, course = insured_case(review_id)
        if invoice.settled_at is None or course.invoice_return_id is None:
            raise Conflict(
                "nothing_stands",
                _("The old settlement is undone already. Ask the insurer again."),
            )
        review_decide(review=review, to=ReviewStatus.REJECTED, by=by, comment=comment)
        asking_end(invoice, by, comment)
        returned = return_held(course.invoice_return_id)
        return_refuse(returned=returned, invoice=invoice, by=by, reason=comment)
        course_set(course, CourseStep.DONE, why=Why.NONE, invoice_return=None)
        transition(invoice, bill_after_returns(invoice), by=by, reason=comment, due_at=None)
    return invoice


def asking_end(invoice: Invoice, by: Actor, comment: str) -> None:
    """What was asked of the hospital is not needed any more: the bill goes another way."""
    for asked in BillingReview.objects.filter(
        invoice=invoice, reason_code=ReviewReason.HOSPITAL_BEARS, status=ReviewStatus.OPEN
    ):
        own = asked.opened_by == by.key
        review_decide(
            review=review_lock(asked.pk)[0],
            to=ReviewStatus.WITHDRAWN if own else ReviewStatus.REJECTED,
            by=by,
            comment=comment.strip() or str(_("The bill goes another way.")),
        )


def insured_case(review_id: int) -> tuple[BillingReview, Invoice, InsuredCourse]:
    """A case about a settlement with its bill, both locked, while the bill waits for a decision."""
    try:
        review, invoice = review_lock(review_id)
    except BillingReview.DoesNotExist:
        raise NotFound("unknown_review", _("There is no such case.")) from None
    if review.reason_code not in INSURED_REASONS or invoice is None:
        raise Conflict("not_insured", _("This case is not about a settlement."))
    if invoice.status != InvoiceStatus.REVIEW:
        raise Conflict("not_waiting", _("This bill does not wait for a decision any more."))
    return review, invoice, course_of(invoice)
