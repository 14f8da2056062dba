"""A return of an insured bill (退费重结): the claim is taken back whole, what is left is settled
again, and only then does the difference leave. Dearer or refused, a person decides with both
figures before them; nobody is ever debited for a return."""

from __future__ import annotations

from typing import Any

from billing import postings
from billing.locks import return_held
from billing.models import (
    CourseStep,
    EventType,
    InsuredCourse,
    Invoice,
    InvoiceReturn,
    InvoiceStatus,
    ReturnStatus,
    ReviewReason,
    Why,
)
from billing.selectors.insured import lines_left
from billing.services.events.outbox import return_event_add
from billing.services.insuring.opening import claim_begin, course_of, course_set
from billing.services.insuring.splits import split_columns
from billing.services.refunding.giving_back import bill_after_returns, refunds_cut
from billing.services.reviews import review_open
from core import clock
from core.actors import SYSTEM
from core.errors import Refusal
from core.states import transition
from insurance.gateway.claim_values import Split
from insurance.models import Claim

NOTHING = Split(0, 0, 0, 0, 0)


def return_resettle(invoice: Invoice, returned: InvoiceReturn) -> None:
    """Begin: the lines are given back, the money waits for the insurer."""
    course = course_of(invoice)
    course_set(course, CourseStep.REVERSE, why=Why.RETURN, invoice_return=returned)
    transition(
        invoice,
        InvoiceStatus.RESETTLING,
        by=SYSTEM,
        reason=returned.refund_no,
        due_at=clock.now(),
    )


def claim_gone(invoice: Invoice, course: InsuredCourse) -> bool:
    """The old settlement is undone: claim what is left, or end where nothing is."""
    if not lines_left(invoice):
        rest_finish(invoice, course, NOTHING)
        return False
    try:
        claim_begin(invoice=invoice, by=SYSTEM)
    except Refusal as refused:
        rest_refused(invoice, course, refused.code, str(refused.message))
        return False
    return True


def rest_priced(invoice: Invoice, course: InsuredCourse, split: Split) -> bool:
    """The trial of the rest; a dearer one is not even settled."""
    if split.cash_fen > invoice.cash_fen:
        _dearer(invoice, course, split)
        return False
    course_set(course, CourseStep.SETTLE)
    return True


def rest_settled(invoice: Invoice, course: InsuredCourse, split: Split) -> bool:
    """The rest is settled and posted: the difference is owed back."""
    if split.cash_fen > invoice.cash_fen:
        # Whoever asks again takes this one back first; it is no settlement to be left standing.
        course_set(course, CourseStep.REVERSE)
        _dearer(invoice, course, split)
        return False
    rest_finish(invoice, course, split)
    return False


def rest_refused(invoice: Invoice, course: InsuredCourse, code: str, sentence: str = "") -> None:
    """The rest is not settled: what was paid stays where it is until a person decides."""
    course_set(course, CourseStep.PRICE)
    return_stopped(
        invoice,
        course,
        ReviewReason.RETURN_NOT_SETTLED,
        {"code": code, "sentence": sentence or course.sentence, "paid_fen": invoice.cash_fen},
    )


def return_stopped(
    invoice: Invoice, course: InsuredCourse, reason: ReviewReason, figures: dict[str, Any]
) -> None:
    """A person decides; the bill waits in review."""
    course_set(course, CourseStep(course.step))
    transition(invoice, InvoiceStatus.REVIEW, by=SYSTEM, reason=str(reason), due_at=None)
    review_open(
        reason=reason,
        invoice=invoice,
        invoice_return=course.invoice_return,
        figures=figures,
    )


def _dearer(invoice: Invoice, course: InsuredCourse, split: Split) -> None:
    return_stopped(
        invoice,
        course,
        ReviewReason.RETURN_DEARER,
        {"paid_fen": invoice.cash_fen, "cash_fen": split.cash_fen},
    )


def rest_finish(invoice: Invoice, course: InsuredCourse, split: Split) -> None:
    """Lines leave the revenue, the difference becomes refunds with numbers, newest tender first."""
    assert course.invoice_return_id is not None
    returned = return_held(course.invoice_return_id)
    back_fen = invoice.cash_fen - split.cash_fen
    owed = refunds_cut(invoice, back_fen, returned=returned)
    postings.post_return(
        reference=str(returned.pk),
        occurred_at=returned.occurred_at,
        invoice_id=invoice.pk,
        owed=owed,
        returned_fen=returned.amount_fen,
    )
    if course.borne_fen:
        # What the hospital bore of the bill before is part of what is settled anew.
        postings.post_hospital_bears(
            invoice_id=invoice.pk,
            amount_fen=-course.borne_fen,
            reference=str(returned.pk),
            occurred_at=clock.now(),
        )
    course_set(course, CourseStep.DONE, why=Why.NONE, invoice_return=None, sentence="", borne_fen=0)
    settled_at = (
        Claim.objects.values_list("settled_at", flat=True).get(pk=invoice.claim_id)
        if split.total_fen and invoice.claim_id is not None
        else None
    )
    columns = split_columns(split) | {"settled_at": settled_at}
    InvoiceReturn.objects.filter(pk=returned.pk).update(cash_fen=back_fen)
    if not owed:
        transition(returned, ReturnStatus.DONE, by=SYSTEM)
        return_event_add(
            invoice=invoice,
            returned=returned,
            type=EventType.REFUNDED,
            occurred_at=clock.now(),
        )
    transition(
        invoice,
        bill_after_returns(invoice),
        by=SYSTEM,
        reason=returned.refund_no,
        due_at=None,
        **columns,
    )
