"""Take a patient's word on a visit, once."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from billing.models import Grade, Invoice, Rating, RatingTag
from billing.models.rating import TEXT_LENGTH_MAX
from core import clock
from core.errors import BadInput, Conflict
from core.integrity import constraint_name
from core.models import User

GRADE_MISSING = _("Please choose one of the five.")


def rating_give(
    *, invoice: Invoice, user: User, grade: int, tags: Sequence[str], text: str
) -> Rating:
    """Keep a rating of a settled bill. Raises BadInput and, for a second one, Conflict."""
    if grade not in Grade.values:
        raise BadInput("grade_missing", GRADE_MISSING, "grade")
    if not set(tags) <= set(RatingTag.values):
        raise BadInput("unknown_tag", _("Please choose from the list."), "tags")
    if len(text) > TEXT_LENGTH_MAX:
        raise BadInput("too_long", _("Please write at most 500 characters."), "text")
    if invoice.status not in Invoice.PAID_ONCE:
        raise Conflict("not_settled", _("This visit is not finished yet."))
    try:
        with transaction.atomic():
            return Rating.objects.create(
                invoice=invoice,
                user=user,
                grade=grade,
                tags=sorted(set(tags)),
                text=text,
                created_at=clock.now(),
            )
    except IntegrityError as error:
        if "invoice_id" not in constraint_name(error):
            raise
        raise Conflict("rated", _("Your answer is here already. Thank you.")) from None
