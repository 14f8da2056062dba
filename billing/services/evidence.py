"""What an answer proves, and what it leaves open; nothing here moves anything."""

from __future__ import annotations

from billing.channels.base import ChannelAnswer, Mode, Source
from billing.models import PaymentTransaction, TransactionKind, TransactionStatus
from billing.policy import policy
from core import clock
from core.outcomes import Outcome


def success_may_be_old(row: PaymentTransaction, source: Source, came_back_seen: int = 0) -> bool:
    """Whether what is told as a success may be older than what took it back.

    A scanned payment reversed here has given back what was paid in between; a refund that ended
    without success, or came back (退票), may have succeeded before. Only a question asked since
    tells the two apart.
    """
    if row.status == TransactionStatus.SUCCEEDED:
        return False
    if row.came_back_count > came_back_seen:
        return True
    reversed_here = row.status == TransactionStatus.CLOSED and row.payment.mode == Mode.SCAN
    lost = row.kind == TransactionKind.REFUND and row.status in PaymentTransaction.LOST
    return source is Source.NOTICE and (reversed_here or lost)


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
