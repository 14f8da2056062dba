"""2206 outside of any transaction, then one function that writes the split or says why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType

from django.conf import settings
from django.db import transaction

from billing.locks import collect_lock, invoice_lock
from billing.models import (
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
from billing.services.handing_back import bill_free, collect_end, hand_back, his_told
from billing.services.insuring.course import Ask, code_unread
from billing.services.insuring.opening import claim_begin, course_of, course_set
from billing.services.insuring.returning import rest_priced, rest_refused
from billing.services.insuring.splits import split_columns, split_told
from billing.services.reviews import review_open
from core import clock
from core.actors import SYSTEM
from core.errors import Refusal
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.states import transition
from insurance.models import Claim, ClaimRoute, ClaimStatus
from insurance.services.claims import Priced, PricedState, claim_price, claim_release
from insurance.services.claims.values import ALONE, MAYBE, MOBILE_OVER

REASONS: dict[PricedState, Reason] = {
    PricedState.NO_CREDENTIAL: Reason.NO_CREDENTIAL,
    PricedState.NOT_COVERED: Reason.NOT_COVERED,
    PricedState.REFUSED: Reason.INSURER_REFUSED,
    PricedState.UNKNOWN: Reason.INSURER_SILENT,
    PricedState.REVIEW: Reason.INSURER_REVIEW,
}
TRIES_MAX = 1000
ENDED = (ClaimStatus.REVERSED, ClaimStatus.RELEASED)


def price_run(ask: Ask) -> bool:
    """Price a bill; True when its next step follows at once."""
    claim = Claim.objects.only("status", "releasing").get(pk=ask.claim_id)
    if claim.status in ENDED:
        return _begun_anew(ask)
    if claim.status in (ClaimStatus.SETTLING, ClaimStatus.SETTLED):
        failpoint("price.settled_before")
        return _settled_late(ask)
    if ask.leaves or claim.releasing:
        return _phone_left(ask)
    priced = claim_price(claim_id=ask.claim_id)
    failpoint("price.answered")
    by_phone = _BY_PHONE.get(priced.code)
    if by_phone is None and _nothing_for_the_phone(ask, priced):
        by_phone = _phone_left
    return _price_taken(ask, priced) if by_phone is None else by_phone(ask)


def _price_taken(ask: Ask, priced: Priced) -> bool:
    goes_on = _priced(ask, priced)
    if priced.state is PricedState.NOT_COVERED:
        claim_release(claim_id=ask.claim_id, by=SYSTEM)
    return goes_on


def _nothing_for_the_phone(ask: Ask, priced: Priced) -> bool:
    """No wallet confirms an order without cash: where the centre does not settle it by itself, the
    hall does."""
    if priced.split is None or priced.split.cash_fen:
        return False
    return InsuredCourse.objects.filter(invoice=ask.invoice_id, route=ClaimRoute.MOBILE).exists()


def _phone_left(ask: Ask) -> bool:
    """The phone's claim ends, unconfirmed: the bill is priced anew for the hall."""
    released = claim_release(claim_id=ask.claim_id, by=SYSTEM)
    if released.outcome is Outcome.UNKNOWN:
        return _asked_until_known(ask)
    if released.outcome is not Outcome.SUCCEEDED:
        return _settled_late(ask)
    # What the centre said is no price of the hall's.
    Invoice.objects.filter(pk=ask.invoice_id).update(valid_until=clock.now())
    return _begun_anew(ask)


def _begun_anew(ask: Ask) -> bool:
    """The bill's claim came to its end: another one is priced, unless its lines miss something."""
    try:
        with transaction.atomic():
            invoice = invoice_lock(ask.invoice_id)
            if invoice.claim_id != ask.claim_id:
                return False
            claim_begin(invoice=invoice, by=SYSTEM)
    except Refusal as refused:
        said = Priced(PricedState.REFUSED, code=refused.code, sentence=refused.message)
        return _priced(ask, said)
    return True


def _settled_late(ask: Ask) -> bool:
    """A settlement that was given up for lost, or that nobody had to confirm, stands: its end is
    learnt first."""
    with transaction.atomic():
        invoice = invoice_lock(ask.invoice_id)
        course = course_of(invoice)
        if invoice.claim_id == ask.claim_id and course.step == CourseStep.PRICE:
            course_set(course, CourseStep.SETTLE)
            if invoice.status == InvoiceStatus.PRICING:
                now = clock.now()
                transition(
                    invoice, InvoiceStatus.COLLECTING, by=SYSTEM, reason="settled", due_at=now
                )
            failpoint("price.settled_written")
    failpoint("price.settled_late")
    return True


def _asked_until_known(ask: Ask) -> bool:
    """The insurer may have settled the bill and does not say so: nothing else is begun for it, and
    it is asked again until it does, later and later."""
    with transaction.atomic():
        invoice = invoice_lock(ask.invoice_id)
        course = course_of(invoice)
        if invoice.claim_id == ask.claim_id and course.step == CourseStep.PRICE:
            steps = policy().settle_again_s
            again_s = steps[min(course.tries, len(steps) - 1)]
            course_set(course, CourseStep.PRICE, tries=min(course.tries + 1, TRIES_MAX))
            again = clock.now() + timedelta(seconds=again_s)
            Invoice.objects.filter(pk=invoice.pk).update(due_at=again)
            if course.tries == len(steps):
                review_open(
                    reason=ReviewReason.CLAIM_IN_REVIEW, invoice=invoice, figures={"code": MAYBE}
                )
    return False


def _priced(ask: Ask, priced: Priced) -> bool:
    """Write what the insurer said; whoever comes late writes nothing."""
    with transaction.atomic():
        invoice = invoice_lock(ask.invoice_id)
        course = course_of(invoice)
        if invoice.claim_id != ask.claim_id or course.step != CourseStep.PRICE:
            return False
        collect = collect_lock(invoice)
        course.sentence = str(priced.sentence)[:500]
        if priced.state is PricedState.UNKNOWN and course.tries + 1 < policy().price_tries:
            return _later(invoice, course)
        if course.why == Why.RETURN:
            return _rest(invoice, course, priced)
        if priced.state is PricedState.PRICED:
            return _written(invoice, course, collect, priced)
        if priced.state is PricedState.NO_CREDENTIAL and code_unread(collect):
            # The code was shown while the insurer was asked without it: it is read next.
            course_set(course, CourseStep.PRICE)
            return True
        wanted = clock.now() if priced.state is PricedState.NO_CREDENTIAL else None
        course_set(course, CourseStep.PRICE, sentence=course.sentence, proof_wanted_at=wanted)
        _not_priced(invoice, collect, priced)
        return False


def _rest(invoice: Invoice, course: InsuredCourse, priced: Priced) -> bool:
    """What is left after a return is priced: nobody is asked for more."""
    if priced.state is PricedState.PRICED and priced.split is not None:
        return rest_priced(invoice, course, priced.split)
    rest_refused(invoice, course, str(REASONS[priced.state]))
    return False


def _written(
    invoice: Invoice, course: InsuredCourse, collect: CollectRequest | None, priced: Priced
) -> bool:
    split = priced.split
    assert split is not None  # a priced bill has one
    columns = split_columns(split) | {
        "priced_at": priced.priced_at,
        "valid_until": priced.valid_until,
    }
    course_set(course, CourseStep.OFFER, why=Why.NONE, sentence="")
    to = InvoiceStatus.ISSUED if collect is None else InvoiceStatus.COLLECTING
    due_at = None if collect is None else clock.now()
    if collect is None and invoice.status in (InvoiceStatus.COLLECTING, InvoiceStatus.PROCESSING):
        to, due_at = InvoiceStatus(invoice.status), clock.now()
    if invoice.status == to:
        Invoice.objects.filter(pk=invoice.pk).update(**columns, due_at=due_at, action=None)
    else:
        transition(invoice, to, by=SYSTEM, reason="priced", due_at=due_at, action=None, **columns)
    for name, value in columns.items():
        setattr(invoice, name, value)
    his_told(
        invoice,
        EventType.PRICED,
        {"amount_fen": invoice.amount_fen, "cash_fen": split.cash_fen, "split": split_told(split)},
    )
    return to != InvoiceStatus.ISSUED


def _later(invoice: Invoice, course: InsuredCourse) -> bool:
    """No answer yet: asked again soon. A trial leaves nothing behind, so it may be repeated."""
    course_set(course, CourseStep.PRICE, tries=course.tries + 1, sentence=course.sentence)
    again = clock.now() + timedelta(seconds=policy().price_again_s)
    Invoice.objects.filter(pk=invoice.pk).update(due_at=again)
    return False


def _not_priced(invoice: Invoice, collect: CollectRequest | None, priced: Priced) -> None:
    """Nothing is collected of a bill whose insurance is not known: whoever stands there is told
    what would help. Only where there is no coverage the bill is the patient's alone, and even that
    is said before anything is taken."""
    reason = REASONS[priced.state]
    action = None
    if priced.state is PricedState.REVIEW:
        review_open(
            reason=ReviewReason.CLAIM_IN_REVIEW, invoice=invoice, figures={"code": priced.code}
        )
    if priced.state is PricedState.NOT_COVERED:
        Invoice.objects.filter(pk=invoice.pk).update(claim=None, **_unpriced(invoice))
        invoice.claim = None
    if priced.state is PricedState.NO_CREDENTIAL:
        action = show_code_action()
    to = CollectStatus.DECLINED if action is None else CollectStatus.ACTION_REQUIRED
    if collect is not None:
        if invoice.status == InvoiceStatus.ISSUED:
            collect_end(collect, to, reason)
        else:
            hand_back(invoice, collect, to, reason, action=action)
    elif invoice.status != InvoiceStatus.ISSUED:
        bill_free(invoice, reason, action=action)
    _told(invoice, reason, action, priced)


def _told(invoice: Invoice, reason: Reason, action: dict[str, str] | None, priced: Priced) -> None:
    sentence = str(priced.sentence)
    if action is not None:
        event, data = EventType.ACTION_REQUIRED, {"action": action, "reason": str(reason)}
    else:
        event, data = EventType.DECLINED, {"reason": str(reason)}
    his_told(invoice, event, data | ({"sentence": sentence} if sentence else {}))


def show_code_action() -> dict[str, str]:
    """What the patient does: show the insurance code, on their phone's page or in its wallet."""
    until = clock.now() + timedelta(seconds=policy().show_code_s)
    return {
        "type": "show_code",
        "value": f"{settings.PORTAL_URL}/code",
        "expires_at": until.isoformat(),
    }


def _unpriced(invoice: Invoice) -> dict[str, object]:
    return {
        "fund_fen": None,
        "own_account_fen": None,
        "mutual_aid_fen": None,
        "hospital_part_fen": None,
        "priced_fen": None,
        "cash_fen": invoice.amount_fen,
        "priced_at": None,
        "valid_until": None,
    }


# What the centre's trial may end in beside a price.
_BY_PHONE: Mapping[str, Callable[[Ask], bool]] = MappingProxyType({
    ALONE: _settled_late,
    MAYBE: _asked_until_known,
    MOBILE_OVER: _phone_left,
})  # fmt: skip
