"""2207 outside of any transaction, then one function that believes its end.

The cash part of 2207 may differ from the trial's: equal, the bill is paid; lower, the excess is
owed back in the same transaction; higher, the settlement is taken back. Declined: the tender is
owed back and the bill is to pay. Not known: nothing is refunded or collected until it is.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from billing import postings
from billing.channels.base import MISMATCH
from billing.locks import collect_lock, invoice_lock
from billing.models import (
    CollectMethod,
    CollectRequest,
    CollectStatus,
    CourseStep,
    EventType,
    InsuredCourse,
    Invoice,
    InvoiceStatus,
    ReviewReason,
    Why,
)
from billing.policy import policy
from billing.reasons import Reason
from billing.selectors.insured import agency_of
from billing.selectors.payments import captures_returnable, receivable_fen
from billing.services.handing_back import bill_free, collect_end, hand_back, his_told
from billing.services.insuring.course import Ask
from billing.services.insuring.ending import bill_settled
from billing.services.insuring.opening import course_of, course_set
from billing.services.insuring.returning import rest_refused, rest_settled
from billing.services.insuring.splits import split_columns
from billing.services.insuring.wallet import wallet_heard
from billing.services.refunding.giving_back import excess_owe, tenders_owe
from billing.services.reviews import review_open
from core import clock
from core.actors import SYSTEM
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.states import transition
from insurance.gateway.claim_values import Split
from insurance.models import Claim, ClaimRoute, ClaimStatus
from insurance.services.claims import Settled, claim_look, claim_settle
from insurance.services.claims.values import NOT_EXECUTED, REVOKED

REFUSED = Reason.INSURER_REFUSED


def settle_run(ask: Ask) -> bool:
    """Settle, or find out how a settlement ended; True when the next step follows at once."""
    settled = _asked(ask.claim_id)
    failpoint("settle.answered")
    return _settled(ask, settled)


def _asked(claim_id: int) -> Settled:
    """Never said twice: a claim that is being settled is looked at."""
    claim = Claim.objects.get(pk=claim_id)
    if claim.status == ClaimStatus.SETTLED:
        return Settled(Outcome.SUCCEEDED, split=claim.settled_split, status=claim.status)
    if claim.status == ClaimStatus.PRICED:
        return claim_settle(claim_id=claim_id)
    if claim.status == ClaimStatus.SETTLING:
        if claim.route == ClaimRoute.MOBILE and not wallet_heard(claim=claim):
            return Settled(Outcome.UNKNOWN, code=MISMATCH, status=claim.status)
        return claim_look(claim_id=claim_id)
    if claim.status == ClaimStatus.REVIEW:
        return Settled(Outcome.UNKNOWN, code=claim.code, status=claim.status)
    # Its trial is void, or it was ended by a person: nothing stands at the insurer.
    return Settled(Outcome.DECLINED, code=claim.code, sentence=claim.message, status=claim.status)


def _settled(ask: Ask, settled: Settled) -> bool:
    with transaction.atomic():
        invoice = invoice_lock(ask.invoice_id)
        course = course_of(invoice)
        late = invoice.claim_id != ask.claim_id or course.step != CourseStep.SETTLE
        if late or invoice.settled_at is not None:
            return False
        collect = collect_lock(invoice)
        if settled.outcome is Outcome.SUCCEEDED and settled.split is not None:
            return _succeeded(invoice, course, collect, settled.split)
        if settled.outcome is not Outcome.DECLINED:
            return _unknown(invoice, course, settled)
        if settled.code == NOT_EXECUTED and course.tries < policy().price_tries:
            course_set(course, CourseStep.SETTLE, tries=course.tries + 1)
            return True
        course.sentence = str(settled.sentence)[:500]
        left = settled.code == REVOKED
        _declined(invoice, course, collect, Reason.NOT_CONFIRMED if left else REFUSED)
        return False


def _succeeded(
    invoice: Invoice, course: InsuredCourse, collect: CollectRequest | None, split: Split
) -> bool:
    """The fund owes its part from now on, whatever becomes of the cash."""
    assert invoice.claim_id is not None
    said_fen = invoice.cash_fen
    settled_at = Claim.objects.values_list("settled_at", flat=True).get(pk=invoice.claim_id)
    postings.post_claim_settled(
        postings.ClaimPart(
            invoice_id=invoice.pk,
            claim_id=invoice.claim_id,
            agency=agency_of(invoice),
            split=split,
            occurred_at=settled_at or clock.now(),
        )
    )
    failpoint("settle.posted")
    if course.why == Why.RETURN:
        return rest_settled(invoice, course, split)
    _write(invoice, split, settled_at or clock.now())
    failpoint("settle.written")
    owed_fen = receivable_fen(invoice)
    if owed_fen <= 0:
        excess_owe(invoice, -owed_fen)
        course_set(course, CourseStep.DONE, why=Why.NONE, sentence="")
        bill_settled(invoice, collect)
        failpoint("settle.paid")
        return False
    by_window = collect is not None and collect.method == CollectMethod.CASH
    if by_window and split.cash_fen <= said_fen:
        course_set(course, CourseStep.TAKE)
        return True
    if course.route == ClaimRoute.MOBILE and not captures_returnable(invoice):
        course_set(course, CourseStep.REVERSE, why=Why.UNPAID)
        return True
    course_set(course, CourseStep.REVERSE, why=Why.DEARER, rounds=course.rounds + 1)
    return True


def _write(invoice: Invoice, split: Split, at: datetime) -> None:
    columns = split_columns(split) | {"settled_at": at}
    Invoice.objects.filter(pk=invoice.pk).update(**columns)
    for name, value in columns.items():
        setattr(invoice, name, value)


def _declined(
    invoice: Invoice, course: InsuredCourse, collect: CollectRequest | None, reason: Reason
) -> None:
    """The insurer's final no: what was taken for this bill goes back, and it is to pay."""
    if course.why == Why.RETURN:
        rest_refused(invoice, course, str(reason))
        return
    tenders_owe(invoice)
    course_set(course, CourseStep.PRICE, sentence=course.sentence)
    Invoice.objects.filter(pk=invoice.pk).update(valid_until=clock.now())
    if collect is not None:
        hand_back(invoice, collect, CollectStatus.DECLINED, reason, action=None)
    elif invoice.status != InvoiceStatus.ISSUED:
        bill_free(invoice, reason, action=None)
    his_told(
        invoice,
        EventType.DECLINED,
        {"reason": str(reason), "sentence": course.sentence},
    )


def _unknown(invoice: Invoice, course: InsuredCourse, settled: Settled) -> bool:
    """Neither refunded nor collected until the insurer says how it ended."""
    course_set(course, CourseStep.SETTLE, tries=min(course.tries + 1, 1000))
    if settled.status == ClaimStatus.REVIEW:
        review_open(
            reason=ReviewReason.CLAIM_IN_REVIEW, invoice=invoice, figures={"code": settled.code}
        )
    wait_for_insurer(invoice, course)
    return False


def wait_for_insurer(invoice: Invoice, course: InsuredCourse) -> None:
    """Look again later and later; the sweeper's work, never the caller's."""
    steps = policy().settle_again_s
    again_s = steps[min(course.tries, len(steps)) - 1]
    due_at = clock.now() + timedelta(seconds=again_s)
    if invoice.status == InvoiceStatus.COLLECTING:
        transition(
            invoice, InvoiceStatus.PROCESSING, by=SYSTEM, reason="insurer silent", due_at=due_at
        )
    else:
        Invoice.objects.filter(pk=invoice.pk).update(due_at=due_at)


def collect_stop(invoice: Invoice, collect: CollectRequest | None, reason: Reason) -> None:
    """The patient is asked anew: the collect answers, the bill is priced again by itself."""
    if collect is None:
        return
    collect_end(collect, CollectStatus.DECLINED, reason)
    his_told(invoice, EventType.DECLINED, {"reason": str(reason)})
