"""The next step of a refund that was written: it leaves, or is asked about.

By a channel the call comes first and what it says is believed after. Notes are counted out by a
person on the word of our books, so there booking is the step, and it is taken under the bill's
lock: no other number of the debt can bring the money between the look and the entry. What a desk
decides to hand out is booked with the decision (`refund_reissues`) and never waits here.
"""

from __future__ import annotations

from django.db import transaction

from billing.channels.base import Mode, Source
from billing.locks import transaction_lock
from billing.models import PaymentTransaction, TransactionStatus
from billing.services.apply import transaction_apply
from billing.services.refunding.refunds import (
    debt_numbers,
    refund_look,
    refund_resume,
    refund_waits,
)
from core.outcomes import Outcome


def refund_step(*, row: PaymentTransaction) -> None:
    """Send or book a refund that is owed, end one that is not, else learn how it stands."""
    if row.payment.mode == Mode.CASH:
        cash_refund_book(transaction_id=row.pk)
        return
    if row.status == TransactionStatus.CREATED and (refund_waits(row) or not _others_lost(row)):
        return  # its lease brings it back
    answer, source = refund_resume(row=row)
    transaction_apply(transaction_id=row.pk, answer=answer, source=source, asked_of=row)


def _others_lost(row: PaymentTransaction) -> bool:
    """Ask about the earlier numbers of the debt once more: they were lost when this one was decided
    on, and a channel's gap may lie between. One that is done meets the debt; of one that nobody
    says is lost this one waits."""
    if row.reissue_of_id is None:
        return True
    earlier = debt_numbers(row).filter(pk__lt=row.pk, status__in=PaymentTransaction.LOST)
    by_channel = earlier.exclude(payment__mode=Mode.CASH)
    for number in by_channel.select_related("payment__merchant", "original__payment__merchant"):
        answer = refund_look(row=number)
        if answer.outcome is Outcome.SUCCEEDED:
            transaction_apply(
                transaction_id=number.pk, answer=answer, source=Source.QUERY, asked_of=number
            )
        elif answer.outcome is not Outcome.DECLINED and answer.executed is not False:
            return False
    return True


def cash_refund_book(*, transaction_id: int) -> PaymentTransaction:
    """Book a refund in notes: SUCCEEDED is the word to hand them out, and nothing else is.

    It ends NOT_OWED where another number has brought the money, and stays as it is while one may.
    """
    with transaction.atomic():
        row, _invoice = transaction_lock(transaction_id)
        if row.status not in PaymentTransaction.IN_FLIGHT or refund_waits(row):
            return row
        answer, source = refund_resume(row=row)
        return transaction_apply(transaction_id=row.pk, answer=answer, source=source, asked_of=row)
