"""Billing's own question about a claim in review ends with the claim's: one decision, not two.

The insurer's people and ours decide at the claim (`insurance`), which knows no bill. The bill's
case says only that it waits for that; so it is taken back here as soon as no claim of the bill is
in review any more, whoever or whatever ended it.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from billing.locks import review_lock
from billing.models import BillingReview, ReviewReason
from core.actors import SYSTEM
from core.review import COMMENT_LENGTH_MAX, ReviewStatus, review_decide
from insurance.models import Claim, ClaimStatus, InsuranceReview


def claim_cases_close(*, limit: int) -> int:
    """Take back every open case whose claim is decided; how many there were."""
    ids = list(_answered().order_by("pk").values_list("pk", flat=True)[:limit])
    return sum(_close(review_id) for review_id in ids)


def _answered() -> QuerySet[BillingReview]:
    waits = Claim.objects.filter(invoice_ref=OuterRef("invoice"), status=ClaimStatus.REVIEW)
    return BillingReview.objects.filter(
        ~Exists(waits),
        reason_code=ReviewReason.CLAIM_IN_REVIEW,
        status=ReviewStatus.OPEN,
        invoice__isnull=False,
        transaction__isnull=True,
        notice__isnull=True,
        invoice_return__isnull=True,
    )


def _close(review_id: int) -> bool:
    """Under the bill's lock, where a case about the next answer would be opened, it is asked anew
    whether the claim waits; False where it does, or where somebody else was quicker."""
    with transaction.atomic():
        review, invoice = review_lock(review_id)
        if invoice is None or not _answered().filter(pk=review_id).exists():
            return False
        review_decide(
            review=review, to=ReviewStatus.WITHDRAWN, by=SYSTEM, comment=_said(invoice.pk)
        )
    return True


def _said(invoice_id: int) -> str:
    """What was said when the claim was decided last; it may have ended by itself."""
    decided = InsuranceReview.objects.filter(
        claim__invoice_ref=invoice_id, status=ReviewStatus.APPROVED
    ).order_by("-decided_at")
    comment = decided.values_list("comment", flat=True).first()
    if comment is None:
        return _("The insurer's answer is known now.")
    said = _("Decided with the insurance review: %s") % (comment or _("no comment"))
    return said[:COMMENT_LENGTH_MAX]
