"""The next step of a refund that was written: it leaves, or is asked about.

By a channel the call comes first and what it says is believed after. Notes are counted out by a
person on the word of our books, so there booking is the step, and it is taken under the bill's
lock: no other number of the debt can bring the money between the look and the entry. What a desk
decides to hand out is booked with the decision (`refund_reissues`) and never waits here.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from billing.channels.base import Mode, Source
from billing.locks import transaction_lock
from billing.models import PaymentTransaction, ReviewReason, TransactionStatus
from billing.policy import policy
from billing.services.apply import transaction_apply
from billing.services.refunding.refunds import (
    debt_numbers,
    refund_look,
    refund_resume,
    refund_waits,
)
from billing.services.reviews import review_open
from core import clock
from core.outcomes import Outcome

# Our own word: nobody says that an earlier number of the debt is lost.
EARLIER_UNSURE = "EARLIER_UNSURE"


def refund_step(*, row: PaymentTransaction) -> None:
    """Send or book a refund that is owed, end one that is not, else learn how it stands."""
    if row.payment.mode == Mode.CASH:
        cash_refund_book(transaction_id=row.pk)
        return
    if row.status == TransactionStatus.CREATED and (refund_waits(row) or not _others_lost(row)):
        return  # its lease brings it back
    answer, source = refund_resume(row=row)
    transaction_apply(transaction_id=row.pk, answer=answer, source=source, asked_of=row)


def lost_number_asked(*, row: PaymentTransaction) -> Outcome:
    """Ask the channel about a refused number again. No transaction may be open.

    DECLINED: it says that the number is lost. SUCCEEDED: it was done after all, and that is booked.
    Anything else is UNKNOWN: nobody says so, or not so that it is believed.
    """
    answer = refund_look(row=row)
    if answer.outcome is Outcome.SUCCEEDED:
        after = transaction_apply(
            transaction_id=row.pk, answer=answer, source=Source.QUERY, asked_of=row
        )
        is_done = after.status == TransactionStatus.SUCCEEDED
        return Outcome.SUCCEEDED if is_done else Outcome.UNKNOWN
    is_lost = answer.outcome is Outcome.DECLINED or answer.executed is False
    return Outcome.DECLINED if is_lost else Outcome.UNKNOWN


def _others_lost(row: PaymentTransaction) -> bool:
    """Ask about the earlier numbers of the debt once more: they were lost when this one was decided
    on, and a channel's gap may lie between. One that is done meets the debt; of one that nobody
    says is lost this one waits, and a person is told when that takes long."""
    if row.reissue_of_id is None:
        return True
    earlier = debt_numbers(row).filter(pk__lt=row.pk, status__in=PaymentTransaction.LOST)
    by_channel = earlier.exclude(payment__mode=Mode.CASH)
    for number in by_channel.select_related("payment__merchant", "original__payment__merchant"):
        if lost_number_asked(row=number) is Outcome.UNKNOWN:
            _ask_a_person(row, number)
            return False
    return not refund_waits(row)  # one may have come back meanwhile


def _ask_a_person(row: PaymentTransaction, unsure: PaymentTransaction) -> None:
    if clock.now() - row.created_at <= timedelta(seconds=policy().slow_after_s):
        return
    with transaction.atomic():
        waiting, invoice = transaction_lock(row.pk)
        if waiting.status != TransactionStatus.CREATED:
            return
        review_open(
            reason=ReviewReason.NOT_ENDED,
            invoice=invoice,
            transaction=waiting,
            figures={"code": EARLIER_UNSURE, "number": unsure.number},
        )


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
