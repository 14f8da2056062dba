"""Close a question about who somebody is. Nothing is merged here: a merge is a step of its own."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from core.errors import BadInput, NotFound
from core.review import ReviewStatus, review_decide
from patients.locks import patient_review_locked
from patients.models import PatientReview


def patient_review_close(
    *, review_id: int, settled: bool, by: Actor, comment: str
) -> PatientReview:
    """Close a case as settled at the HIS, or as nothing to be done; the comment says how.

    Raises NotFound, BadInput without a comment, Conflict when it was decided already.
    """
    with transaction.atomic():
        try:
            review = patient_review_locked(review_id)
        except PatientReview.DoesNotExist:
            raise NotFound("unknown_review", _("There is no such case.")) from None
        if not comment.strip():
            raise BadInput("comment_missing", _("Say what was done."), "comment")
        to = ReviewStatus.APPROVED if settled else ReviewStatus.REJECTED
        review_decide(review=review, to=to, by=by, comment=comment)
    return review
