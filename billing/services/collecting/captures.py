"""Begin a tender, send it, look at it again.

`capture_begin` commits the number (in its caller's transaction); `capture_send` and `capture_look`
call the channel outside any transaction and return what it said; `apply.transaction_apply` believes
it. A tender is in flight from its number until SUCCEEDED, DECLINED or confirmed CLOSED.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from django.db import transaction

from billing.channels.base import CaptureOrder, ChannelAnswer, Mode, OrderReference
from billing.channels.registry import channel_get
from billing.locks import transaction_lock
from billing.models import (
    CollectRequest,
    Invoice,
    Payment,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from billing.policy import Policy, policy
from billing.purposes.base import purpose_get
from billing.selectors.mixed import insurance_part
from billing.services.collecting.tenders import Tender
from billing.services.merchants import merchant_account
from core import clock
from core.failpoints import failpoint
from core.ids import business_number
from core.outcomes import Outcome
from core.prepared import rows_insert

INVOICE = "invoice"
DEADLINES_S: Mapping[Mode, Callable[[Policy], int]] = {
    Mode.AGREEMENT: lambda rules: rules.agreement_deadline_s,
    Mode.SCAN: lambda rules: rules.scan_deadline_s,
    Mode.NATIVE: lambda rules: rules.pay_link_deadline_s,
    Mode.H5: lambda rules: rules.h5_deadline_s,
    Mode.JSAPI: lambda rules: rules.h5_deadline_s,
    Mode.MIXED: lambda rules: rules.h5_deadline_s,
    Mode.CASH: lambda rules: rules.cash_deadline_s,
}


def capture_begin(
    *,
    tender: Tender,
    invoice: Invoice | None = None,
    purpose: str = INVOICE,
    collect: CollectRequest | None = None,
    form_key: str | None = None,
) -> PaymentTransaction:
    """Write the tender and its number; the caller's transaction commits both before any call.

    `purpose` says why (`settings.PAYMENT_PURPOSES`); an invoice is named by the payment itself, any
    other owner names the payment.
    """
    payment = Payment(
        payment_no=business_number("PY"),
        purpose=purpose,
        invoice=invoice,
        collect=collect,
        channel=tender.channel,
        mode=tender.mode,
        merchant=tender.merchant,
        agreement=tender.agreement,
        shift=tender.shift,
        payer_id=tender.payer_id,
        amount_fen=tender.amount_fen,
        form_key=form_key,
        created_at=clock.now(),
    )
    row = _numbered(payment)
    rows_insert(payment, row, link="payment")
    return row


def _numbered(payment: Payment) -> PaymentTransaction:
    """The try that is to be written."""
    now = clock.now()
    deadline_s = DEADLINES_S[Mode(payment.mode)](policy())
    return PaymentTransaction(
        payment=payment,
        kind=TransactionKind.CAPTURE,
        number=business_number("TX"),
        amount_fen=payment.amount_fen,
        agreement_id=payment.agreement_id,
        business_day=clock.business_day(now),
        due_at=now + timedelta(seconds=policy().lease_s),
        expires_at=now + timedelta(seconds=deadline_s),
        created_at=now,
    )


def capture_send(
    *,
    row: PaymentTransaction,
    invoice: Invoice | None = None,
    auth_code: str = "",
    payer_address: str = "",
    return_url: str = "",
    payer_subject: str = "",
) -> ChannelAnswer:
    """Ask the channel to take the money: the only place that ever sends a capture.

    A process that slept between committing the number and this call does not send any more: others
    may have given the number up by now.
    """
    if (clock.now() - row.created_at).total_seconds() >= policy().never_executed_after_s:
        return ChannelAnswer(Outcome.UNKNOWN, code="NOT_SENT_IN_TIME", executed=False)
    payment = row.payment
    agreement = payment.agreement
    order = CaptureOrder(
        merchant=merchant_account(payment.merchant, channel=payment.channel),
        number=row.number,
        amount_fen=row.amount_fen,
        description=purpose_get(payment.purpose).description(row, invoice),
        mode=Mode(payment.mode),
        created_at=row.created_at,
        expires_at=row.expires_at,
        contract_id=agreement.contract_id if agreement is not None else "",
        auth_code=auth_code,
        payer_address=payer_address,
        device=invoice.operator_code if invoice is not None else "",
        plan_id=agreement.plan.plan_id if agreement is not None else "",
        return_url=return_url,
        payer_subject=payer_subject,
        insurance=insurance_part(row),
    )
    failpoint("capture.before_send")
    answer = channel_get(payment.channel).capture(order)
    failpoint("capture.after_send")
    return answer


def capture_look(*, row: PaymentTransaction, end: bool = False) -> ChannelAnswer:
    """Query an open tender; past its deadline (or told to `end` it) close or reverse it after the
    query. A reverse that has begun is repeated until it is answered."""
    payment = row.payment
    channel = channel_get(payment.channel)
    order = order_reference(row)
    if payment.mode == Mode.SCAN and row.closing:
        failpoint("capture.before_reverse_again")
        return channel.reverse(order)
    answer = channel.query(order)
    if answer.outcome in (Outcome.SUCCEEDED, Outcome.DECLINED):
        return answer
    if not (end or row.closing or clock.now() >= row.expires_at):
        return answer
    failpoint("capture.before_close")
    if payment.mode != Mode.SCAN:
        return channel.close(order)
    return channel.reverse(order) if _reverse_begin(row) else answer


def _reverse_begin(row: PaymentTransaction) -> bool:
    """Committed before it is sent: a reverse gives back what was paid, also a moment ago. Somebody
    else may have learnt of a success meanwhile; then nothing is reversed. From here on a success is
    believed from nobody who asked before (`evidence.success_may_be_old`)."""
    with transaction.atomic():
        held, _invoice = transaction_lock(row.pk)
        if held.status == TransactionStatus.SUCCEEDED:
            return False
        PaymentTransaction.objects.filter(pk=row.pk).update(closing=True)
    row.closing = True
    failpoint("capture.reverse_begun")
    return True


def order_reference(row: PaymentTransaction) -> OrderReference:
    payment = row.payment
    return OrderReference(
        merchant=merchant_account(payment.merchant, channel=payment.channel),
        number=row.number,
        mode=Mode(payment.mode),
        amount_fen=row.amount_fen,
        channel_no=row.channel_no,
        offered_until=row.expires_at if row.action is not None else None,
        insurance=insurance_part(row),
    )


def next_look_at(row: PaymentTransaction, now: datetime) -> datetime:
    """When to look again: at the stated ages, then regularly, after an hour rarely."""
    rules = policy()
    age_s = (now - row.created_at).total_seconds()
    for at_s in rules.query_at_s:
        if at_s > age_s:
            return row.created_at + timedelta(seconds=at_s)
    step_s = rules.query_every_s if age_s < rules.slow_after_s else rules.slow_every_s
    upcoming = now + timedelta(seconds=step_s)
    if row.kind == TransactionKind.CAPTURE and now < row.expires_at < upcoming:
        return row.expires_at
    return upcoming
