"""Give captured money back by the route it came.

A refund's number is fixed when it is owed; an unanswered refund is queried and, if the channel does
not know it, sent again under the *same* number. Only after a final refusal does a person's decision
make a new number for the same debt (`refund_reissue`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from billing.channels.base import ChannelAnswer, Operation, RefundOrder
from billing.channels.registry import channel_get
from billing.locks import return_of_refund_lock, transaction_lock
from billing.models import (
    EventType,
    InvoiceReturn,
    PaymentTransaction,
    ReturnStatus,
    TransactionKind,
    TransactionStatus,
)
from billing.policy import policy
from billing.selectors.payments import refundable_fen
from billing.services.apply import Source, transaction_apply
from billing.services.captures import order_reference
from billing.services.events import event_add
from billing.services.merchants import merchant_account
from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.failpoints import failpoint
from core.ids import business_number
from core.outcomes import Outcome, Unanswered
from core.review import refuse_same_person
from core.states import transition

LOST = (TransactionStatus.DECLINED, TransactionStatus.CLOSED)


def refund_begin(
    *,
    original: PaymentTransaction,
    amount_fen: int,
    invoice_return: InvoiceReturn | None = None,
    reissue_of: PaymentTransaction | None = None,
) -> PaymentTransaction:
    """Write one refund part and its number, under the lock of the original's invoice.

    Raises Conflict when the original holds less than `amount_fen`.
    """
    if amount_fen > refundable_fen(original):
        raise Conflict(
            "not_refundable", _("This payment has less than that left to refund."), "amount_fen"
        )
    now = clock.now()
    return PaymentTransaction.objects.create(
        payment=original.payment,
        kind=TransactionKind.REFUND,
        number=business_number("RF"),
        amount_fen=amount_fen,
        original=original,
        invoice_return=invoice_return,
        reissue_of=reissue_of,
        business_day=clock.business_day(now),
        due_at=_earliest(original, now),
        expires_at=now + timedelta(seconds=policy().refund_deadline_s),
        created_at=now,
    )


def refund_reissue(*, transaction_id: int, by: Actor) -> PaymentTransaction:
    """A new number for a refund the channel refused for good; the debt stays the first one's.

    Raises Conflict when it has not ended without success or was issued again already, Forbidden
    for whoever asked for the return.
    """
    _refuse_unless_lost(transaction_id)
    with transaction.atomic():
        row, invoice = transaction_lock(transaction_id)
        if row.kind != TransactionKind.REFUND or row.status not in LOST:
            raise Conflict("refund_not_declined", _("This refund has not been declined."))
        first_id = refund_subject(row)
        again = PaymentTransaction.objects.filter(reissue_of=first_id).exclude(status__in=LOST)
        if again.exists():
            raise Conflict("issued_again", _("This refund was sent again already."))
        returned = return_of_refund_lock(row) if row.invoice_return_id else None
        if returned is not None:
            refuse_same_person(by.code, returned.operator_code)
        refund = refund_begin(
            original=_original(row),
            amount_fen=row.amount_fen,
            invoice_return=returned,
            reissue_of=row.reissue_of or row,
        )
        if returned is not None and returned.status == ReturnStatus.FAILED:
            transition(returned, ReturnStatus.ACCEPTED, by=by, reason=refund.number)
        if returned is not None and invoice is not None:
            event_add(
                invoice=invoice,
                type=EventType.REFUND_ACCEPTED,
                data={"refund_no": returned.refund_no, "amount_fen": row.amount_fen},
                occurred_at=clock.now(),
            )
    return refund


def _refuse_unless_lost(transaction_id: int) -> None:
    """Ask the channel about the first number once more: a second may leave only when it is lost."""
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
        transaction_apply(transaction_id=row.pk, answer=answer, source=Source.QUERY)
        raise Conflict("refund_done", _("The channel says that this refund was done after all."))
    if answer.outcome is not Outcome.DECLINED and answer.executed is not False:
        raise Conflict("refund_not_lost", _("The channel does not say that it is lost. Try later."))


def refund_subject(row: PaymentTransaction) -> int:
    """Whom refund_payable names: the first refund of a debt, also when it was issued again."""
    return row.reissue_of_id or row.pk


def _earliest(original: PaymentTransaction, now: datetime) -> datetime:
    """Channels ask for a gap between refunds of one order (WeChat: a minute)."""
    gap_s = channel_get(original.payment.channel).refund_gap_s
    last = original.refunds.aggregate(at=Max("due_at"), made=Max("created_at"))
    latest: datetime | None = max((at for at in last.values() if at is not None), default=None)
    if gap_s == 0 or latest is None:
        return now
    return max(now, latest + timedelta(seconds=gap_s + 1))


def refund_resume(*, row: PaymentTransaction) -> tuple[ChannelAnswer, Source]:
    """Send a refund, or find out about one that was sent. No transaction may be open."""
    channel = channel_get(row.payment.channel)
    order = _order(row)
    if row.status == TransactionStatus.CREATED:
        failpoint("refund.before_send")
        answer = channel.refund(order)
        failpoint("refund.after_send")
        return answer, Source.SEND
    answer = refund_look(row=row)
    lost = answer.executed is False and answer.outcome is Outcome.UNKNOWN
    if lost and channel.unanswered[Operation.REFUND] is Unanswered.RESEND:
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
        original=order_reference(_original(row)),
        reason=_("returned") if row.invoice_return_id else _("paid twice"),
    )


def _original(row: PaymentTransaction) -> PaymentTransaction:
    assert row.original is not None  # the database demands it of a refund
    return row.original
