"""The one function in which money becomes true.

Synchronous reply, notice and query all end in `transaction_apply`. It locks invoice and
transaction, so any two of them arrive one after the other; it may be called twice with the same
answer, and with answers in any order. It calls nobody outside.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction

from billing.actions import action_json
from billing.channels.base import CAME_BACK, MISMATCH, ChannelAnswer, Source
from billing.locks import transaction_lock
from billing.models import (
    Invoice,
    PaymentTransaction,
    ReviewReason,
    TransactionKind,
    TransactionStatus,
)
from billing.policy import policy
from billing.purposes.base import purpose_get
from billing.services.collecting.captures import next_look_at
from billing.services.evidence import (
    never_executed,
    open_status,
    success_may_be_old,
    told_since,
)
from billing.services.refunding.refunds import refund_is_owed
from billing.services.reviews import review_open
from core import clock
from core.actors import SYSTEM, Actor
from core.failpoints import failpoint
from core.outcomes import Outcome
from core.states import Step, transition, transition_together

NEVER_EXECUTED = "NEVER_EXECUTED"
NEEDS_A_PERSON = {
    CAME_BACK: ReviewReason.REFUND_ABNORMAL,
    MISMATCH: ReviewReason.STATE_DIFFERS,
}


def transaction_apply(
    *,
    transaction_id: int,
    answer: ChannelAnswer,
    source: Source,
    by: Actor = SYSTEM,
    asked_of: PaymentTransaction | None = None,
) -> PaymentTransaction:
    """Believe an answer about a transaction: move it, post it, tell who must know.

    `asked_of` is the row as it was read before the channel was asked, for a success of an ended row
    to be believed. A notice does not say how old it is: it has none.

    An amount other than ours moves nothing and opens a review. A success after the end is
    unexpected money: the purpose decides. A contradiction of a success changes nothing but opens a
    review. Raises PaymentTransaction.DoesNotExist.
    """
    with transaction.atomic():
        row, invoice = transaction_lock(transaction_id)
        failpoint("apply.locked")
        if answer.amount_fen not in (None, row.amount_fen):
            _amount_differs(row, invoice, answer)
        elif answer.outcome is Outcome.SUCCEEDED:
            if success_may_be_old(row, asked_of):
                _ask_first(row)
            else:
                _succeeded(row, invoice, answer, by)
        elif answer.outcome is Outcome.DECLINED:
            _ended(row, invoice, answer, by, asked_of)
        elif row.kind == TransactionKind.REFUND and _came_back(row, answer):
            _owe_again(row, invoice, answer, by)
        elif row.status in PaymentTransaction.IN_FLIGHT:
            _still_open(row, invoice, answer, source, by)
        elif answer.executed is False and told_since(row, asked_of):
            pass  # what was told stays to be asked about
        elif row.kind == TransactionKind.CAPTURE and row.code == NEVER_EXECUTED:
            _turned_up(row, answer, source)
        elif row.kind == TransactionKind.REFUND and row.status in PaymentTransaction.LOST:
            _asked_after_the_end(row, invoice, answer)
        failpoint("apply.written")
    failpoint("apply.committed")
    return row


def _succeeded(
    row: PaymentTransaction, invoice: Invoice | None, answer: ChannelAnswer, by: Actor
) -> None:
    if row.status == TransactionStatus.SUCCEEDED:
        return
    # Whom a cashier passed over, another tender may have followed.
    expected = row.is_waited_for
    fields = {
        "channel_no": answer.channel_no or row.channel_no,
        "code": answer.code[:64],
        "message": answer.message[:256],
        "occurred_at": answer.occurred_at or clock.now(),
        "due_at": None,
        "action": None,
    }
    reason = "" if expected else "nobody waited for it"
    done = Step([row], TransactionStatus.SUCCEEDED, fields, reason)
    purpose = purpose_get(row.payment.purpose)
    if row.kind == TransactionKind.REFUND:
        transition_together(done, by=by)
        purpose.refunded(row, invoice, by=by)
    else:
        purpose.captured(row, invoice, done, expected=expected, by=by)
        if row.status != TransactionStatus.SUCCEEDED:
            raise RuntimeError(f"{row.payment.purpose}: the tender's step was not taken")


def _ask_first(row: PaymentTransaction) -> None:
    """The channel is asked how it stands now; only that answer is believed."""
    row.due_at = clock.now()
    PaymentTransaction.objects.filter(pk=row.pk).update(due_at=row.due_at)


def _came_back(row: PaymentTransaction, answer: ChannelAnswer) -> bool:
    return row.status == TransactionStatus.SUCCEEDED and answer.code == CAME_BACK


def _owe_again(
    row: PaymentTransaction, invoice: Invoice | None, answer: ChannelAnswer, by: Actor
) -> None:
    """The payer's bank sent a finished refund back (退票): the channel holds it, we owe it.

    It ends under the same number, once a person has told the channel another account.
    """
    transition(
        row,
        TransactionStatus.PENDING,
        by=by,
        reason="came back",
        code=answer.code,
        message=answer.message[:256],
        came_back_count=row.came_back_count + 1,
        due_at=next_look_at(row, clock.now()),
    )
    purpose_get(row.payment.purpose).refund_came_back(row, invoice, by=by)
    _ask_a_person(row, invoice, answer)


def _ended(
    row: PaymentTransaction,
    invoice: Invoice | None,
    answer: ChannelAnswer,
    by: Actor,
    asked_of: PaymentTransaction | None = None,
) -> None:
    """Declined, or confirmed closed: nothing was and will be taken under this number."""
    if row.status == TransactionStatus.SUCCEEDED:
        review_open(
            reason=ReviewReason.STATE_DIFFERS,
            invoice=invoice,
            transaction=row,
            figures={"ours": row.status, "theirs": answer.code or answer.outcome},
        )
        return
    if row.status not in PaymentTransaction.IN_FLIGHT:
        # Perhaps it was looked at again after it had been given up; that ends here.
        if not told_since(row, asked_of):
            PaymentTransaction.objects.filter(pk=row.pk).update(due_at=None)
        return
    transition(
        row,
        TransactionStatus.CLOSED if answer.closed else TransactionStatus.DECLINED,
        by=by,
        reason=answer.code,
        code=answer.code[:64],
        message=answer.message[:256],
        due_at=None,
        action=None,
    )
    purpose = purpose_get(row.payment.purpose)
    if row.kind == TransactionKind.REFUND:
        purpose.refund_ended(row, invoice, by=by)
    else:
        purpose.capture_ended(row, invoice, by=by)


def _still_open(
    row: PaymentTransaction,
    invoice: Invoice | None,
    answer: ChannelAnswer,
    source: Source,
    by: Actor,
) -> None:
    """Not final: note what was learnt and when to look again."""
    now = clock.now()
    missing = row.not_found_count + (answer.executed is False)
    if row.kind == TransactionKind.CAPTURE and never_executed(row, missing, answer, source):
        gone = ChannelAnswer(Outcome.DECLINED, code=NEVER_EXECUTED, closed=True)
        _ended(row, invoice, gone, by)
        if source is not Source.SEND:
            # A last look at the deadline, in case a sleeping process sent it after all.
            PaymentTransaction.objects.filter(pk=row.pk).update(due_at=row.expires_at)
            row.due_at = row.expires_at
        return
    fields: dict[str, Any] = {
        "attempts": row.attempts + 1,
        "not_found_count": missing,
        "due_at": answer.retry_at or next_look_at(row, now),
        "code": answer.code[:64] or row.code,
        "message": answer.message[:256] or row.message,
        "channel_no": answer.channel_no or row.channel_no,
        "sent_at": row.sent_at or (now if source is Source.SEND else None),
    }
    if row.kind == TransactionKind.REFUND and answer.code == CAME_BACK:
        # It may have succeeded before, untold: that success can still be told late.
        fields["came_back_count"] = max(row.came_back_count, 1)
    if answer.action is not None:
        fields["action"] = action_json(answer.action)
    to = open_status(row, answer)
    if to == row.status:
        PaymentTransaction.objects.filter(pk=row.pk).update(**fields)
        for name, value in fields.items():
            setattr(row, name, value)
    else:
        transition(row, to, by=by, reason=answer.code, **fields)
    _ask_a_person(row, invoice, answer)


def _turned_up(row: PaymentTransaction, answer: ChannelAnswer, source: Source) -> None:
    """An order given up as never executed, of which the channel may have heard after all.

    A send can be on its way for longer than anybody waits. It is looked at, and closed there, until
    the channel says how it ended; its money would be unexpected: it pays the bill if nothing else
    has, else it goes back by itself.
    """
    now = clock.now()
    if source is Source.QUERY and answer.executed is False and now >= row.expires_at:
        due_at = None
    elif answer.executed is False and row.due_at is None:
        return
    else:
        due_at = next_look_at(row, now)
    PaymentTransaction.objects.filter(pk=row.pk).update(due_at=due_at)
    row.due_at = due_at


def _asked_after_the_end(
    row: PaymentTransaction, invoice: Invoice | None, answer: ChannelAnswer
) -> None:
    """A lost refund that a late success put in doubt, and no success now.

    It is asked about until the channel has it closed or knows nothing of it: one that came back is
    done as soon as the payer's account is mended. No second number of its debt leaves before
    (`refunds.refund_waits`).
    """
    row.due_at = None if answer.executed is False else next_look_at(row, clock.now())
    PaymentTransaction.objects.filter(pk=row.pk).update(due_at=row.due_at)
    if row.due_at is not None:
        _ask_a_person(row, invoice, answer)


def _ask_a_person(row: PaymentTransaction, invoice: Invoice | None, answer: ChannelAnswer) -> None:
    """An open transaction that time alone will not end."""
    reason = NEEDS_A_PERSON.get(answer.code)
    if reason is ReviewReason.REFUND_ABNORMAL and not refund_is_owed(row):
        # Another number of the debt brought the money: this must not be sent on.
        reason = ReviewReason.REFUND_UNOWED
    if reason is None and clock.now() - row.created_at > timedelta(seconds=policy().slow_after_s):
        reason = ReviewReason.NOT_ENDED
    if reason is not None:
        review_open(
            reason=reason,
            invoice=invoice,
            transaction=row,
            figures={"code": answer.code, "message": answer.message},
        )


def _amount_differs(
    row: PaymentTransaction, invoice: Invoice | None, answer: ChannelAnswer
) -> None:
    review_open(
        reason=ReviewReason.AMOUNT_DIFFERS,
        invoice=invoice,
        transaction=row,
        figures={"ours_fen": row.amount_fen, "theirs_fen": answer.amount_fen},
    )
    if row.status in PaymentTransaction.IN_FLIGHT:
        due_at = next_look_at(row, clock.now())
        PaymentTransaction.objects.filter(pk=row.pk).update(
            due_at=due_at, attempts=row.attempts + 1
        )
