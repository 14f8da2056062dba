"""The ways out of a settlement that stands in a bill's way: the hospital bears a part, which two
people answer for; or an unpaid bill keeps its dearer settlement and the patient pays the rest.

Nothing is taken from anybody here. What the patient has paid and is not given back stays the cash
part; what then is missing is a reduction of the hospital's own revenue, and never the fund's.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing import postings
from billing.locks import review_lock
from billing.models import (
    BillingReview,
    CourseStep,
    InsuredCourse,
    Invoice,
    InvoiceStatus,
    ReviewReason,
    Why,
)
from billing.selectors.insured import lines_left
from billing.selectors.payments import captures_returnable, receivable_fen
from billing.services.insuring.deciding import INSURED_REASONS, asking_end, insured_case
from billing.services.insuring.ending import bill_settled
from billing.services.insuring.opening import course_of, course_set
from billing.services.insuring.returning import rest_finish
from billing.services.insuring.splits import split_columns
from billing.services.reviews import review_open
from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound
from core.failpoints import failpoint
from core.money import format_yuan
from core.review import ReviewStatus, review_decide
from core.states import transition
from insurance.gateway.claim_values import Split
from insurance.models import Claim, ClaimStatus
from insurance.services.claims import claim_release

# Nothing is known of how these end: no way leads around them.
UNENDED = frozenset({ClaimStatus.SETTLING, ClaimStatus.REVERSING, ClaimStatus.REVIEW})
NOTHING = Split(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class WayOut:
    """What stands at the insurer, what the patient has paid, and what the patient's part would be
    if nobody helped."""

    standing: Split | None
    paid_fen: int
    part_fen: int

    @property
    def least_fen(self) -> int:
        """More than this part was paid: so much at least goes back."""
        return max(self.paid_fen - self.part_fen, 0)

    def bears_fen(self, back_fen: int) -> int:
        """What the hospital bears when so much goes back."""
        return self.part_fen - (self.paid_fen - back_fen)

    def split(self, back_fen: int) -> Split:
        """The bill's parts then."""
        kept = self.standing or NOTHING
        return Split(
            kept.fund_fen,
            kept.own_account_fen,
            kept.mutual_aid_fen,
            kept.hospital_part_fen + self.bears_fen(back_fen),
            self.paid_fen - back_fen,
        )


def exit_ask(*, review_id: int, back_fen: int, by: Actor, comment: str) -> BillingReview:
    """Ask that the hospital bears what is missing and so much goes back to the patient; another
    person decides. Raises NotFound, BadInput (amount, no reason), Conflict (asked already, or no
    way out before the insurer has answered)."""
    if not comment.strip():
        raise BadInput("comment_missing", _("Say why the hospital is to bear it."), "comment")
    with transaction.atomic():
        review, invoice, course = insured_case(review_id)
        way = _way_out(invoice, course)
        _amount_check(way, back_fen)
        known = BillingReview.objects.filter(
            invoice=invoice, reason_code=ReviewReason.HOSPITAL_BEARS, status=ReviewStatus.OPEN
        )
        if known.exists():
            raise Conflict("asked_already", _("Somebody has asked for this already."))
        return review_open(
            reason=ReviewReason.HOSPITAL_BEARS,
            invoice=invoice,
            invoice_return=course.invoice_return,
            figures={
                "paid_fen": way.paid_fen,
                "back_fen": back_fen,
                "bears_fen": way.bears_fen(back_fen),
                "why": comment.strip(),
                "case": review.pk,
            },
            by=by,
        )


def exit_approve(*, review_id: int, by: Actor, comment: str = "") -> Invoice:
    """Another person agrees: the return, or the bill, ends as it was asked. A trial of the rest is
    given up at the insurer first. Raises as `exit_ask`, and Forbidden for who asked."""
    claim_id = _trial_of(review_id)
    if claim_id is not None:
        claim_release(claim_id=claim_id, by=by)
        failpoint("exit.trial_gone")
    with transaction.atomic():
        review, invoice, course = _asked(review_id)
        way = _way_out(invoice, course)
        back_fen = int(review.figures["back_fen"])
        _amount_check(way, back_fen)
        if way.bears_fen(back_fen) != review.figures["bears_fen"]:
            raise Conflict("figures_changed", _("The figures have changed since it was asked for."))
        review_decide(review=review, to=ReviewStatus.APPROVED, by=by, comment=comment)
        _case_close(invoice, by, comment)
        _borne(invoice, course, review, way, back_fen)
        failpoint("exit.written")
    return invoice


def exit_reject(*, review_id: int, by: Actor, comment: str) -> Invoice:
    """Another person disagrees; the case stays open. Raises as `exit_approve`."""
    if not comment.strip():
        raise BadInput("comment_missing", _("Say what was done."), "comment")
    with transaction.atomic():
        review, invoice, _course = _asked(review_id)
        review_decide(review=review, to=ReviewStatus.REJECTED, by=by, comment=comment)
    return invoice


def claim_review_stand(*, review_id: int, by: Actor, comment: str) -> Invoice:
    """An unpaid bill keeps its dearer settlement: the patient pays what is missing by any way, and
    the settlement is not taken back any more. Raises as `exit_ask`."""
    if not comment.strip():
        raise BadInput("comment_missing", _("Say what was done."), "comment")
    with transaction.atomic():
        review, invoice, course = insured_case(review_id)
        if invoice.settled_at is None or course.invoice_return_id is not None:
            raise Conflict("nothing_stands", _("No settlement of an unpaid bill stands here."))
        review_decide(review=review, to=ReviewStatus.REJECTED, by=by, comment=comment)
        asking_end(invoice, by, comment)
        course_set(course, CourseStep.OWED, why=Why.NONE, rounds=0, sentence="")
        transition(invoice, InvoiceStatus.ISSUED, by=by, reason=comment, due_at=None, action=None)
        failpoint("exit.stands")
    return invoice


def _way_out(invoice: Invoice, course: InsuredCourse) -> WayOut:
    claim = Claim.objects.filter(pk=invoice.claim_id or 0).first()
    if claim is not None and claim.status in UNENDED:
        raise Conflict("not_ended", _("The insurer has not answered yet how it ended."))
    standing = claim.settled_split if claim and claim.status == ClaimStatus.SETTLED else None
    if course.invoice_return_id is None:
        if standing is None:
            raise Conflict("nothing_stands", _("No settlement of an unpaid bill stands here."))
        paid_fen = sum(left_fen for _row, left_fen in captures_returnable(invoice))
        return WayOut(standing, paid_fen, paid_fen + receivable_fen(invoice))
    if invoice.settled_at is not None:
        # The fund has paid for what was given back: nothing is given for it while that stands.
        raise Conflict(
            "old_stands", _("The old settlement stands. Leave it as it is, or ask again.")
        )
    rest_fen = sum(one.amount_fen for one in lines_left(invoice))
    part_fen = standing.cash_fen if standing is not None else rest_fen
    return WayOut(standing, invoice.cash_fen, part_fen)


def _amount_check(way: WayOut, back_fen: int) -> None:
    if not way.least_fen <= back_fen <= way.paid_fen:
        raise BadInput(
            "back_amount",
            _("Between %(least)s and %(most)s can go back to the patient.")
            % {"least": format_yuan(way.least_fen), "most": format_yuan(way.paid_fen)},
            "back",
        )


def _asked(review_id: int) -> tuple[BillingReview, Invoice, InsuredCourse]:
    try:
        review, invoice = review_lock(review_id)
    except BillingReview.DoesNotExist:
        raise NotFound("unknown_review", _("There is no such case.")) from None
    if review.reason_code != ReviewReason.HOSPITAL_BEARS or invoice is None:
        raise Conflict("not_asked", _("This case asks for nothing of the hospital."))
    if review.status == ReviewStatus.OPEN and invoice.status != InvoiceStatus.REVIEW:
        raise Conflict("not_waiting", _("This bill does not wait for a decision any more."))
    return review, invoice, course_of(invoice)


def _trial_of(review_id: int) -> int | None:
    """A claim of the rest that was begun and never settled; it is released before the end."""
    open_ones = (ClaimStatus.OPEN, ClaimStatus.PRICED)
    rows = Claim.objects.filter(
        pk__in=BillingReview.objects.filter(
            pk=review_id, status=ReviewStatus.OPEN, reason_code=ReviewReason.HOSPITAL_BEARS
        ).values("invoice__claim"),
        status__in=open_ones,
    )
    return rows.values_list("pk", flat=True).first()


def _borne(
    invoice: Invoice, course: InsuredCourse, review: BillingReview, way: WayOut, back_fen: int
) -> None:
    """The hospital's part is posted, then the bill ends as any other."""
    bears_fen, split = way.bears_fen(back_fen), way.split(back_fen)
    postings.post_hospital_bears(
        invoice_id=invoice.pk,
        amount_fen=bears_fen,
        reference=str(review.pk),
        occurred_at=clock.now(),
    )
    if course.invoice_return_id is None:
        columns = split_columns(split)
        Invoice.objects.filter(pk=invoice.pk).update(**columns)
        for name, value in columns.items():
            setattr(invoice, name, value)
        course_set(course, CourseStep.DONE, why=Why.NONE, sentence="", borne_fen=bears_fen)
        bill_settled(invoice, None)
        return
    if way.standing is None:
        Invoice.objects.filter(pk=invoice.pk).update(claim=None)
        invoice.claim = None
    rest_finish(invoice, course, split)
    course_set(course, CourseStep.DONE, borne_fen=bears_fen)


def _case_close(invoice: Invoice, by: Actor, comment: str) -> None:
    """The question that led here is answered by this."""
    for case in BillingReview.objects.filter(
        invoice=invoice, reason_code__in=INSURED_REASONS, status=ReviewStatus.OPEN
    ):
        locked = review_lock(case.pk)[0]
        review_decide(review=locked, to=ReviewStatus.APPROVED, by=by, comment=comment)
