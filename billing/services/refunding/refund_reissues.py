"""Another number for a refund the channel refused for good; the debt stays the same.

A second number may be written only when every earlier one is surely lost (`refund_lost_confirm`)
and the debt stands, and it leaves only while it still does (`refund_steps`): one that was lost may
succeed after all. Notes are booked in the transaction that writes their number, so that none is
ever left to be booked by itself: whoever decided is the one who is told to hand them out.
"""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.utils.translation import gettext as _

from billing.channels.base import Mode
from billing.locks import return_of_refund_lock, transaction_lock
from billing.models import (
    EventType,
    Invoice,
    Payment,
    PaymentTransaction,
    ReturnStatus,
    TransactionKind,
)
from billing.services.events.outbox import return_event_add
from billing.services.refunding.refund_steps import cash_refund_book, lost_number_asked
from billing.services.refunding.refunds import (
    IN_DOUBT,
    debt_numbers,
    original_of,
    refund_begin,
    refund_is_owed,
)
from billing.services.shifts import shift_open_for
from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.failpoints import failpoint
from core.ids import business_number
from core.outcomes import Outcome
from core.review import refuse_same_person
from core.states import transition


def refund_lost_confirm(*, transaction_id: int) -> None:
    """Ask the channel once more about every refused number of a debt. No transaction may be open.

    Raises Conflict when it is no refund, or one was done after all or is not said to be lost.
    """
    asked = PaymentTransaction.objects.filter(pk=transaction_id, kind=TransactionKind.REFUND)
    row = asked.first()
    if row is None:
        raise _not_declined()
    lost = debt_numbers(row).filter(status__in=PaymentTransaction.LOST)
    for number in lost.select_related("payment__merchant", "original__payment__merchant"):
        outcome = lost_number_asked(row=number)
        if outcome is Outcome.SUCCEEDED:
            text = _("The channel says that this refund was done after all.")
            raise Conflict("refund_done", text)
        if outcome is Outcome.UNKNOWN:
            text = _("The channel does not say that it is lost. Try later.")
            raise Conflict("refund_not_lost", text)


def refund_reissue(
    *, transaction_id: int, by: Actor, decide: Callable[[], None] = lambda: None
) -> PaymentTransaction:
    """The same debt under a new number, by the way the money came; it was confirmed lost. `decide`
    closes the case that asked, in the same transaction.

    Raises Conflict when it has not ended without success, when its debt is met, or while another
    number of it is under way or in doubt; Forbidden for whoever asked for the return.
    """
    with transaction.atomic():
        row, invoice = transaction_lock(transaction_id)
        refund = _again(row, invoice, by, row.payment)
        decide()
    return refund


def refund_hand_out(
    *, transaction_id: int, by: Actor, decide: Callable[[], None] = lambda: None
) -> PaymentTransaction:
    """The same debt in cash, booked out of the drawer of who decides so; it was confirmed lost.
    The notes leave after it, on the word of the page that decided.

    Raises as `refund_reissue`.
    """
    with transaction.atomic():
        row, invoice = transaction_lock(transaction_id)
        cash = Payment.objects.create(
            payment_no=business_number("PY"),
            purpose=row.payment.purpose,
            invoice=invoice,
            channel="cash",
            mode=Mode.CASH,
            shift=shift_open_for(cashier=by.key),
            amount_fen=row.amount_fen,
            created_at=clock.now(),
        )
        refund = _again(row, invoice, by, cash)
        decide()  # before it is booked, which withdraws every open case about the debt
        failpoint("hand_out.written")
        return cash_refund_book(transaction_id=refund.pk)


def _again(
    row: PaymentTransaction, invoice: Invoice | None, by: Actor, payment: Payment
) -> PaymentTransaction:
    _refuse_second(row)
    returned = return_of_refund_lock(row) if row.invoice_return_id else None
    if returned is not None:
        refuse_same_person(by.code, returned.operator_code)
    refund = refund_begin(
        original=original_of(row),
        amount_fen=row.amount_fen,
        invoice_return=returned,
        reissue_of=row.reissue_of or row,
        payment=payment,
    )
    if returned is not None and returned.status == ReturnStatus.FAILED:
        transition(returned, ReturnStatus.ACCEPTED, by=by, reason=refund.number)
        assert invoice is not None  # a return is of a bill
        return_event_add(
            invoice=invoice,
            returned=returned,
            type=EventType.REFUND_ACCEPTED,
            occurred_at=clock.now(),
        )
    return refund


def _refuse_second(row: PaymentTransaction) -> None:
    """Under the bill's lock, so that no success comes in between: nothing that pays this debt is
    done, under way or in doubt, whichever number a case names."""
    if row.kind != TransactionKind.REFUND or row.status not in PaymentTransaction.LOST:
        raise _not_declined()
    if not refund_is_owed(row):
        raise Conflict("not_owed", _("This money went back under another number. Give nothing."))
    numbers = debt_numbers(row)
    flying = numbers.filter(status__in=PaymentTransaction.IN_FLIGHT).first()
    if flying is not None:
        text = _("The same money is on its way under %(number)s. Wait for how that ends.")
        raise Conflict("issued_again", text % {"number": flying.number})
    doubted = numbers.filter(IN_DOUBT).first()
    if doubted is not None:
        text = _("%(number)s was told as done, and the channel is being asked. Try again later.")
        raise Conflict("refund_in_doubt", text % {"number": doubted.number})


def _not_declined() -> Conflict:
    return Conflict("refund_not_declined", _("This refund has not been declined."))
