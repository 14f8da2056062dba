"""2208 of the whole settlement, outside of any transaction; then what follows from its end."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from billing import postings
from billing.locks import collect_lock, invoice_lock
from billing.models import (
    CourseStep,
    InsuredCourse,
    Invoice,
    InvoiceStatus,
    ReviewReason,
    Why,
)
from billing.policy import policy
from billing.reasons import Reason
from billing.selectors.insured import agency_of
from billing.services.insuring.course import Ask
from billing.services.insuring.lost import LOSS_STANDS, loss_sentence
from billing.services.insuring.opening import course_of, course_set
from billing.services.insuring.returning import claim_gone, return_stopped
from billing.services.insuring.settling import collect_stop, wait_for_insurer
from billing.services.insuring.wallet import wallet_tell_due
from billing.services.refunding.giving_back import tenders_owe
from billing.services.reviews import review_open
from core import clock
from core.actors import SYSTEM
from core.failpoints import failpoint
from core.integrity import constraint_name
from core.outcomes import Outcome
from core.states import transition
from insurance.gateway.claim_values import Split
from insurance.models import Claim, ClaimRoute, ClaimStatus
from insurance.services.claims import Reversed, claim_reverse
from insurance.services.claims.looking import claim_look_reversal
from insurance.services.claims.values import NOT_EXECUTED


def reverse_run(ask: Ask) -> bool:
    """Take a settlement back, or find out whether it was; True when the next step follows."""
    answer = _asked(ask.claim_id, ask.invoice_id)
    failpoint("reverse.answered")
    return _reversed(ask, answer)


def _asked(claim_id: int, invoice_id: int) -> Reversed:
    claim = Claim.objects.get(pk=claim_id)
    if claim.status == ClaimStatus.REVERSED:
        return Reversed(Outcome.SUCCEEDED, split=claim.settled_split, status=claim.status)
    if claim.status == ClaimStatus.REVERSING:
        return claim_look_reversal(claim_id=claim_id)
    if claim.status == ClaimStatus.REVIEW:
        return Reversed(Outcome.UNKNOWN, code=claim.code, status=claim.status)
    sentence = loss_sentence(claim_id)
    if sentence:
        return Reversed(Outcome.DECLINED, code=LOSS_STANDS, sentence=sentence, status=claim.status)
    try:
        return claim_reverse(claim_id=claim_id, reason=f"bill {invoice_id}", by=SYSTEM)
    except IntegrityError as error:
        if constraint_name(error) != LOSS_STANDS:
            raise
        return _asked(claim_id, invoice_id)  # it was approved in this very moment


def _reversed(ask: Ask, answer: Reversed) -> bool:
    with transaction.atomic():
        invoice = invoice_lock(ask.invoice_id)
        course = course_of(invoice)
        if invoice.claim_id != ask.claim_id or course.step != CourseStep.REVERSE:
            return False
        if answer.outcome is Outcome.SUCCEEDED:
            return _succeeded(invoice, course)
        if answer.outcome is Outcome.DECLINED:
            return _stands(invoice, course, answer)
        course_set(course, CourseStep.REVERSE, tries=min(course.tries + 1, 1000))
        if answer.status == ClaimStatus.REVIEW:
            review_open(
                reason=ReviewReason.CLAIM_IN_REVIEW, invoice=invoice, figures={"code": answer.code}
            )
        wait_for_insurer(invoice, course)
        return False


def _succeeded(invoice: Invoice, course: InsuredCourse) -> bool:
    """The fund owes nothing any more; what the patient paid is decided by why."""
    claim = invoice.claim
    assert claim is not None
    split: Split | None = claim.settled_split
    assert split is not None
    postings.post_claim_reversed(
        postings.ClaimPart(
            invoice_id=invoice.pk,
            claim_id=claim.pk,
            agency=agency_of(invoice),
            split=split,
            occurred_at=claim.reversed_at or clock.now(),
        )
    )
    Invoice.objects.filter(pk=invoice.pk).update(settled_at=None)
    invoice.settled_at = None
    if claim.route == ClaimRoute.MOBILE:
        wallet_tell_due(claim_id=claim.pk)
    failpoint("reverse.posted")
    if course.why == Why.RETURN:
        return claim_gone(invoice, course)
    why, rounds = Why(course.why), course.rounds
    tenders_owe(invoice)
    collect = collect_lock(invoice)
    if why == Why.DEARER and rounds >= policy().dearer_rounds:
        collect_stop(invoice, collect, Reason.PRICE_CHANGED)
        InsuredCourse.objects.filter(pk=course.pk).update(rounds=0)
    # Only the next step claims anew: its refusal must not undo that the fund is owed nothing.
    course_set(course, CourseStep.PRICE)
    if invoice.status != InvoiceStatus.PRICING:
        transition(invoice, InvoiceStatus.PRICING, by=SYSTEM, reason=str(why), due_at=clock.now())
    return True


def _stands(invoice: Invoice, course: InsuredCourse, answer: Reversed) -> bool:
    """It is settled and stays so. Lost before it happened, it is said once more; refused, a person
    decides, and nothing moves meanwhile."""
    if answer.code == NOT_EXECUTED and course.tries < policy().price_tries:
        course_set(course, CourseStep.REVERSE, tries=course.tries + 1)
        return True
    figures = {"code": answer.code, "sentence": str(answer.sentence)}
    if course.why == Why.RETURN:
        return_stopped(invoice, course, ReviewReason.CLAIM_NOT_REVERSED, figures)
        return False
    course_set(course, CourseStep.REVERSE, sentence=str(answer.sentence)[:500])
    collect_stop(invoice, collect_lock(invoice), Reason.INSURER_REVIEW)
    transition(invoice, InvoiceStatus.REVIEW, by=SYSTEM, reason=answer.code, due_at=None)
    review_open(
        reason=ReviewReason.CLAIM_NOT_REVERSED,
        invoice=invoice,
        figures=figures | {"cash_fen": invoice.cash_fen},
    )
    return False
