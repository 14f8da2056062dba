"""What an answer proves, and what it leaves open; nothing here moves anything."""

from __future__ import annotations

from billing.channels.base import ChannelAnswer, Mode, Source
from billing.models import PaymentTransaction, TransactionKind, TransactionStatus
from billing.policy import policy
from core import clock
from core.outcomes import Outcome


def success_may_be_old(row: PaymentTransaction, asked_of: PaymentTransaction | None = None) -> bool:
    """Whether what is told as a success may be older than what took it back.

    A scanned payment reversed here, or about to be, gives back what was paid in between; a refund
    that ended without success, or came back (退票), may have succeeded before. Only what was asked
    since tells the two apart: `asked_of` is the row as it was before the channel was asked, None
    where it told unasked. A process may stall between its answer and the lock, so an answer to the
    send or to an earlier question is no younger than a notice.
    """
    if row.status == TransactionStatus.SUCCEEDED:
        return False
    if row.came_back_count > (asked_of.came_back_count if asked_of else 0):
        return True
    reversing = row.closing and row.payment.mode == Mode.SCAN
    if reversing and not (asked_of is not None and asked_of.closing):
        return True
    reversed_here = row.status == TransactionStatus.CLOSED and row.payment.mode == Mode.SCAN
    lost = row.kind == TransactionKind.REFUND and row.status in PaymentTransaction.LOST
    ended_since = asked_of is None or asked_of.status != row.status
    return ended_since and (reversed_here or lost)


def told_since(row: PaymentTransaction, asked_of: PaymentTransaction | None) -> bool:
    """Whether an ended row is to be asked about because of what was told after the question that is
    answered now. An answer nobody asked for (None) is older than that for all we know: it does not
    take the doubt away, only a look that began with it does."""
    return row.due_at is not None and (asked_of is None or asked_of.due_at != row.due_at)


def open_status(row: PaymentTransaction, answer: ChannelAnswer) -> str:
    """A query without an answer takes no knowledge away: PENDING stays PENDING."""
    if answer.outcome is Outcome.PENDING:
        return TransactionStatus.PENDING
    if row.status == TransactionStatus.CREATED:
        return TransactionStatus.UNKNOWN
    return row.status


def never_executed(
    row: PaymentTransaction, missing: int, answer: ChannelAnswer, source: Source
) -> bool:
    """Whether the channel surely has no such order, now and later.

    A send that never left is certain at once. "No such order" on a query is believed only when
    asked twice and long enough after the send, since the send itself may still be on its way.
    """
    if answer.executed is not False:
        return False
    if source is Source.SEND:
        return True
    rules = policy()
    age_s = (clock.now() - row.created_at).total_seconds()
    return missing >= rules.never_executed_asks and age_s >= rules.never_executed_after_s
