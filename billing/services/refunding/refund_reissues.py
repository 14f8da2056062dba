"""Another number for a refund the channel refused for good; the debt stays the same.

A second number may be written only when the first is surely lost (`refund_lost_confirm`), and it
leaves only while the debt still stands (`refunds.refund_resume`): the first may succeed after all.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from billing.channels.base import Mode, Source
from billing.locks import return_of_refund_lock, transaction_lock
from billing.models import (
    EventType,
    Invoice,
    Payment,
    PaymentTransaction,
    ReturnStatus,
    TransactionKind,
)
from billing.services.apply import transaction_apply
from billing.services.events.outbox import return_event_add
from billing.services.refunding.refunds import (
    original_of,
    refund_begin,
    refund_look,
    refund_subject,
)
from billing.services.shifts import shift_open_for
from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.ids import business_number
from core.outcomes import Outcome
from core.review import refuse_same_person
from core.states import transition


def refund_lost_confirm(*, transaction_id: int) -> None:
    """Ask the channel about a refused number once more. No transaction may be open.

    Raises Conflict when it was no refund, was done after all, or is not said to be lost.
    """
    row = (
        PaymentTransaction.objects.select_related(
            "payment__merchant", "original__payment__merchant"
        )
        .filter(pk=transaction_id, kind=TransactionKind.REFUND)
        .first()
    )
    if row is None or row.original is None:
        raise Conflict("refund_not_declined", _("This refund has not been declined."))
    answer = refund_look(row=row)
    if answer.outcome is Outcome.SUCCEEDED:
        transaction_apply(
            transaction_id=row.pk,
            answer=answer,
            source=Source.QUERY,
            asked_of=row,
        )
        raise Conflict("refund_done", _("The channel says that this refund was done after all."))
    if answer.outcome is not Outcome.DECLINED and answer.executed is not False:
        raise Conflict("refund_not_lost", _("The channel does not say that it is lost. Try later."))


def refund_reissue(*, transaction_id: int, by: Actor) -> PaymentTransaction:
    """The same debt under a new number, by the way the money came; it was confirmed lost.

    Raises Conflict when it has not ended without success or was issued again already, Forbidden
    for whoever asked for the return.
    """
    with transaction.atomic():
        row, invoice = transaction_lock(transaction_id)
        return _again(row, invoice, by, row.payment)


def refund_hand_out(*, transaction_id: int, by: Actor) -> PaymentTransaction:
    """The same debt in cash, from the drawer of who decides so; it was confirmed lost.

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
        return _again(row, invoice, by, cash)


def _again(
    row: PaymentTransaction, invoice: Invoice | None, by: Actor, payment: Payment
) -> PaymentTransaction:
    if row.kind != TransactionKind.REFUND or row.status not in PaymentTransaction.LOST:
        raise Conflict("refund_not_declined", _("This refund has not been declined."))
    again = PaymentTransaction.objects.filter(reissue_of=refund_subject(row))
    if again.exclude(status__in=PaymentTransaction.LOST).exists():
        raise Conflict("issued_again", _("This refund was sent again already."))
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
