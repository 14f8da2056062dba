"""Give captured money back by the route it came.

A refund's number is fixed when it is owed; an unanswered refund is queried and, if the channel does
not know it, sent again under the *same* number. Only after a final refusal does a person's decision
make a new number for the same debt (`refund_reissues`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing.channels.base import ChannelAnswer, Operation, RefundOrder, Source
from billing.channels.registry import channel_get
from billing.ledger import chart
from billing.ledger.bills import bill_refunded_twice
from billing.ledger.selectors import subject_balance
from billing.models import (
    BillingReview,
    InvoiceReturn,
    Payment,
    PaymentTransaction,
    ReviewReason,
    TransactionKind,
    TransactionStatus,
)
from billing.policy import policy
from billing.selectors.payments import refundable_fen
from billing.services.collecting.captures import order_reference
from billing.services.merchants import merchant_account
from core import clock
from core.errors import Conflict
from core.failpoints import failpoint
from core.ids import business_number
from core.money import format_yuan
from core.outcomes import Outcome, Unanswered

# Our own word: another number has given the money back, this one never leaves.
NOT_OWED = "NOT_OWED"
# A lost number that was told as done since: the channel is asked which is true.
IN_DOUBT = Q(status__in=PaymentTransaction.LOST, due_at__isnull=False)


def refund_begin(
    *,
    original: PaymentTransaction,
    amount_fen: int,
    invoice_return: InvoiceReturn | None = None,
    reissue_of: PaymentTransaction | None = None,
    payment: Payment | None = None,
) -> PaymentTransaction:
    """Write one refund part and its number, under the lock of the original's invoice. It leaves by
    the way the money came, or by `payment`.

    Raises Conflict when the original holds less than `amount_fen`; see `not_refundable`.
    """
    if amount_fen > refundable_fen(original):
        text = _("This payment has less than that left to refund.")
        raise not_refundable(original.payment.invoice_id, text, "amount_fen")
    now, way = clock.now(), payment or original.payment
    return PaymentTransaction.objects.create(
        payment=way,
        kind=TransactionKind.REFUND,
        number=business_number("RF"),
        amount_fen=amount_fen,
        original=original,
        invoice_return=invoice_return,
        reissue_of=reissue_of,
        business_day=clock.business_day(now),
        due_at=_earliest(original, way.channel, now),
        expires_at=now + timedelta(seconds=policy().refund_deadline_s),
        created_at=now,
    )


def not_refundable(invoice_id: int | None, text: str | Promise, field: str = "") -> Conflict:
    """Why money cannot go back. Where some of the bill's left twice, that is why: the case about it
    is named, for nothing can be said of the rest before somebody has settled it."""
    case = BillingReview.objects.filter(
        invoice=invoice_id, reason_code=ReviewReason.REFUNDED_TWICE
    ).last()
    twice_fen = bill_refunded_twice(invoice_id) if case and invoice_id else 0
    if case is None or not twice_fen:
        return Conflict("not_refundable", text, field)
    return Conflict(
        "refunded_twice",
        _("%(sum)s of this bill went back twice. Settle case %(case)s about it first.")
        % {"sum": format_yuan(twice_fen), "case": case.pk},
        field,
    )


def refund_subject(row: PaymentTransaction) -> int:
    """Whom refund_payable names: the first refund of a debt, also when it was issued again."""
    return row.reissue_of_id or row.pk


def debt_numbers(row: PaymentTransaction) -> QuerySet[PaymentTransaction]:
    """Every number that was written for the debt of this refund, the first one included."""
    subject = refund_subject(row)
    return PaymentTransaction.objects.filter(Q(pk=subject) | Q(reissue_of=subject)).order_by("pk")


def refund_is_owed(row: PaymentTransaction) -> bool:
    """Whether the ledger still owes what this refund would give back. Another number of the debt
    may have succeeded since this one was written."""
    return -subject_balance(chart.REFUND_PAYABLE, refund_subject(row)) >= row.amount_fen


def refund_waits(row: PaymentTransaction) -> bool:
    """Whether an earlier number of the debt is in doubt, or under way again because it was done and
    came back. Until the channel has said which is true, this one must not leave."""
    if row.reissue_of_id is None:
        return False
    earlier = debt_numbers(row).filter(pk__lt=row.pk)
    return earlier.filter(IN_DOUBT | Q(status__in=PaymentTransaction.IN_FLIGHT)).exists()


def _earliest(original: PaymentTransaction, channel: str, now: datetime) -> datetime:
    """Channels ask for a gap between refunds of one order (WeChat: a minute)."""
    gap_s = channel_get(channel).refund_gap_s
    last = original.refunds.aggregate(at=Max("due_at"), made=Max("created_at"))
    latest: datetime | None = max((at for at in last.values() if at is not None), default=None)
    if gap_s == 0 or latest is None:
        return now
    return max(now, latest + timedelta(seconds=gap_s + 1))


def refund_resume(*, row: PaymentTransaction) -> tuple[ChannelAnswer, Source]:
    """Send a refund, or find out about one that was sent. No transaction may be open, unless nobody
    outside is called (`refund_steps`).

    One that is not owed any more is never sent, and ended once the channel does not know it.
    """
    channel = channel_get(row.payment.channel)
    order, owed = _order(row), refund_is_owed(row)
    if owed and row.status == TransactionStatus.CREATED:
        failpoint("refund.before_send")
        answer = channel.refund(order)
        failpoint("refund.after_send")
        return answer, Source.SEND
    answer = refund_look(row=row)
    lost = answer.executed is False and answer.outcome is Outcome.UNKNOWN
    if lost and not owed:
        return ChannelAnswer(Outcome.DECLINED, code=NOT_OWED, closed=True), Source.QUERY
    if lost and row.status in PaymentTransaction.LOST:
        # Looked at only to settle a doubt: its debt may have another number by now.
        return answer, Source.QUERY
    resends = channel.unanswered[Operation.REFUND] is Unanswered.RESEND
    if lost and resends and not refund_waits(row):
        # The channel never saw it, and says that the same number is paid once.
        failpoint("refund.before_resend")
        return channel.refund(order), Source.SEND
    return answer, Source.QUERY


def refund_look(*, row: PaymentTransaction) -> ChannelAnswer:
    """Ask the channel how a refund stands; it moves nothing."""
    return channel_get(row.payment.channel).refund_query(_order(row))


def _order(row: PaymentTransaction) -> RefundOrder:
    return RefundOrder(
        merchant=merchant_account(row.payment.merchant, channel=row.payment.channel),
        number=row.number,
        amount_fen=row.amount_fen,
        original=order_reference(original_of(row)),
        reason=_("returned") if row.invoice_return_id else _("paid twice"),
    )


def original_of(row: PaymentTransaction) -> PaymentTransaction:
    assert row.original is not None  # the database demands it of a refund
    return row.original
