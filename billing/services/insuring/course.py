"""What is next for an insured bill: decided under its lock by one literal table.

PRICE → OFFER → (the tender) → SETTLE → DONE; the window's cash is taken after the settlement
(TAKE), what a person let stand is paid by any way (OWED); on the phone the wallet has both parts
(WALLET) before the end is learnt (SETTLE); REVERSE takes a settlement back and leads to PRICE
again, or ends a return.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from billing.models import (
    CODE_METHODS,
    CollectMethod,
    CollectRequest,
    CollectStatus,
    CourseStep,
    InsuredCourse,
    Invoice,
    InvoiceStatus,
    Why,
)
from billing.policy import policy
from billing.reasons import Reason
from billing.selectors.payments import cash_due_fen, is_priced, open_capture
from billing.services.handing_back import collect_end
from billing.services.insuring.opening import course_of, course_set
from core import clock
from core.actors import SYSTEM
from core.states import transition
from insurance.models import ClaimRoute


@dataclass(frozen=True, slots=True)
class Ask:
    """What this process alone asks the insurer now; or, where `takes`, that the tender is next."""

    step: CourseStep
    invoice_id: int
    claim_id: int = 0
    collect_id: int = 0
    leaves: bool = False  # the phone's claim is left: the bill is priced anew for the hall

    @property
    def takes(self) -> bool:
        """Whether the cash part is taken by the tender chain now."""
        return self.step in (CourseStep.OFFER, CourseStep.TAKE, CourseStep.OWED)


def code_unread(collect: CollectRequest | None) -> bool:
    """Whether a code or face was shown with this collect and nobody has read it yet."""
    return collect is not None and collect.method in CODE_METHODS and collect.code_read_at is None


def insured_ask(invoice: Invoice, collect: CollectRequest | None) -> Ask | None:
    """The next step of a locked bill; None when it waits for somebody, or another process asks."""
    unread = code_unread(collect)
    if invoice.claim_id is None:
        assert collect is not None, "only a code that is shown insures a bill without a claim"
        return Ask(CourseStep.READ, invoice.pk, 0, collect.pk) if unread else _plain(invoice)
    course = course_of(invoice)
    if course.busy_until is not None and course.busy_until > clock.now():
        _wait_until(invoice, course.busy_until)
        return None
    if unread and collect is not None and course.step in (CourseStep.PRICE, CourseStep.OFFER):
        _busy(invoice, course)
        return Ask(CourseStep.READ, invoice.pk, invoice.claim_id, collect.pk)
    return _NEXT[CourseStep(course.step)](invoice, collect, course)


def _plain(invoice: Invoice) -> Ask:
    """The code was read and there is no coverage: the tender is all there is."""
    return Ask(CourseStep.OFFER, invoice.pk)


def _call(invoice: Invoice, collect: CollectRequest | None, course: InsuredCourse) -> Ask:
    """The insurer is asked, by this process alone for as long as the call may last."""
    _busy(invoice, course)
    assert invoice.claim_id is not None
    return Ask(CourseStep(course.step), invoice.pk, invoice.claim_id)


def _offer(invoice: Invoice, collect: CollectRequest | None, course: InsuredCourse) -> Ask | None:
    """Priced: take the cash part, or settle at once where nothing is to be taken before."""
    if open_capture(invoice) is not None:
        _wait_until(invoice, None)
        return None
    if course.route == ClaimRoute.MOBILE and collect is not None:
        return _leave(invoice, course)
    due_fen = cash_due_fen(invoice)
    by_window = collect is not None and collect.method == CollectMethod.CASH
    if due_fen > 0 and not is_priced(invoice) and (collect is not None or _driven(invoice)):
        course_set(course, CourseStep.PRICE)
        return _call(invoice, collect, course)
    if (due_fen <= 0 and (collect is not None or _driven(invoice))) or by_window:
        course_set(course, CourseStep.SETTLE)
        return _call(invoice, collect, course)
    if collect is None:
        _nobody_collects(invoice)
        return None
    return Ask(CourseStep.OFFER, invoice.pk)


def _leave(invoice: Invoice, course: InsuredCourse) -> Ask:
    """Somebody collects at the hospital what was priced for the phone."""
    _busy(invoice, course)
    assert invoice.claim_id is not None
    return Ask(CourseStep.PRICE, invoice.pk, invoice.claim_id, leaves=True)


def _wallet(invoice: Invoice, collect: CollectRequest | None, course: InsuredCourse) -> Ask | None:
    """The wallet has the order: nothing else is begun until it is done with it. Then the centre
    says how it ended (`settling`)."""
    if open_capture(invoice) is not None:
        _wait_until(invoice, None)
        return None
    course_set(course, CourseStep.SETTLE)
    return _call(invoice, collect, course)


def _take(invoice: Invoice, collect: CollectRequest | None, course: InsuredCourse) -> Ask | None:
    """Settled before the window has its cash. Whoever went away meanwhile pays nothing: the
    settlement is taken back."""
    if open_capture(invoice) is not None:
        _wait_until(invoice, None)
        return None
    late = clock.now() - timedelta(seconds=policy().window_waits_s)
    if collect is not None and collect.method == CollectMethod.CASH and collect.created_at > late:
        return Ask(CourseStep.TAKE, invoice.pk)
    if collect is not None:
        collect_end(collect, CollectStatus.DECLINED, Reason.PATIENT_LEFT)
    course_set(course, CourseStep.REVERSE, why=Why.UNPAID)
    return _call(invoice, collect, course)


def _owed(invoice: Invoice, collect: CollectRequest | None, course: InsuredCourse) -> Ask | None:
    """Settled for good although dearer: what is missing is taken by any way, at no new price."""
    if open_capture(invoice) is not None:
        _wait_until(invoice, None)
        return None
    if collect is None:
        _nobody_collects(invoice)
        return None
    return Ask(CourseStep.OWED, invoice.pk)


def _done(invoice: Invoice, collect: CollectRequest | None, course: InsuredCourse) -> Ask | None:
    _wait_until(invoice, None)
    return None


_NEXT: Mapping[
    CourseStep, Callable[[Invoice, CollectRequest | None, InsuredCourse], Ask | None]
] = MappingProxyType({
    CourseStep.PRICE: _call,
    CourseStep.OFFER: _offer,
    CourseStep.WALLET: _wallet,
    CourseStep.SETTLE: _call,
    CourseStep.TAKE: _take,
    CourseStep.OWED: _owed,
    CourseStep.REVERSE: _call,
    CourseStep.DONE: _done,
})  # fmt: skip


def _driven(invoice: Invoice) -> bool:
    """Money came in, or something is under way, without a collect: a payer's own page."""
    return invoice.status in (InvoiceStatus.COLLECTING, InvoiceStatus.PROCESSING)


def _nobody_collects(invoice: Invoice) -> None:
    """A tender of the payer's own page ended without money; the bill is to pay."""
    if invoice.status in (InvoiceStatus.PRICING, InvoiceStatus.COLLECTING):
        transition(invoice, InvoiceStatus.ISSUED, by=SYSTEM, reason="nobody collects", due_at=None)
    else:
        _wait_until(invoice, None)


def _busy(invoice: Invoice, course: InsuredCourse) -> None:
    """From now on one process asks, until it wrote what it heard or may be thought dead."""
    until = clock.now() + timedelta(seconds=policy().insurer_call_s)
    InsuredCourse.objects.filter(pk=course.pk).update(busy_until=until)
    course.busy_until = until
    _wait_until(invoice, until)


def _wait_until(invoice: Invoice, due_at: datetime | None) -> None:
    Invoice.objects.filter(pk=invoice.pk).update(due_at=due_at)
    invoice.due_at = due_at
