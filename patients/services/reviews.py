"""Close a question about who somebody is. Nothing is merged here: a merge is a step of its own.

A case about the name told for one record is settled by taking that name over.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from core.audit import record
from core.errors import BadInput, Conflict, NotFound
from core.review import ReviewStatus, review_decide
from patients.locks import patient_review_locked, patients_locked, people_locked
from patients.models import PatientReview


def patient_review_close(
    *, review_id: int, settled: bool, by: Actor, comment: str
) -> PatientReview:
    """Close a case as settled at the HIS, or as nothing to be done; the comment says how.

    Raises NotFound, BadInput without a comment, Conflict when it was decided already, or when the
    record whose name is told was joined with another meanwhile.
    """
    with transaction.atomic():
        people_locked()
        try:
            review = patient_review_locked(review_id)
        except PatientReview.DoesNotExist:
            raise NotFound("unknown_review", _("There is no such case.")) from None
        if not comment.strip():
            raise BadInput("comment_missing", _("Say what was done."), "comment")
        to = ReviewStatus.APPROVED if settled else ReviewStatus.REJECTED
        review_decide(review=review, to=to, by=by, comment=comment)
        if settled and review.told_name:
            _name_taken_over(review, by)
    return review


def _name_taken_over(review: PatientReview, by: Actor) -> None:
    patient = next(one for one in patients_locked(review.patient_id) if one.pk == review.patient_id)
    if patient.merged_into_id is not None:
        raise Conflict(
            "joined_patient", _("This record was joined with another; its name changes no more.")
        )
    patient.name = review.told_name
    patient.save(update_fields=["name"])
    record(
        by=by,
        action="patient_corrected",
        subject="patients.patient",
        subject_id=patient.pk,
        detail={"fields": ["name"], "review": review.pk},
    )
