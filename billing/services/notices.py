"""What a channel told us: verified by its adapter, stored once, answered, then applied.

A notice for an order we do not know is stored and answered as not accepted, so that the channel
tells it again: it may have come before our own commit. A notice that contradicts us in merchant,
app, currency or amount is kept with a review and moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from billing.channels.base import (
    ChannelAnswer,
    Notice,
    NoticeKind,
    NoticeRefused,
    NoticeReply,
)
from billing.channels.registry import channel_get
from billing.locks import notice_lock, notices_lease, reviews_of_notice_lock
from billing.models import (
    Merchant,
    PaymentNotice,
    PaymentTransaction,
    ReviewReason,
    TransactionStatus,
)
from billing.policy import policy
from billing.services.agreements import agreement_apply_notice
from billing.services.apply import CAME_BACK, Source, transaction_apply
from billing.services.failures import notice_kept
from billing.services.merchants import merchant_account
from billing.services.refunds import refund_look
from billing.services.reviews import review_open
from core import audit, clock
from core.actors import SYSTEM, Actor
from core.failpoints import failpoint
from core.idempotency import input_hash
from core.json_values import dumps
from core.outcomes import Outcome
from core.review import ReviewStatus, review_decide

CONFIRM_BY_QUERY = "CONFIRM_BY_QUERY"
_STORE = """
INSERT INTO billing_paymentnotice AS kept
  (channel, merchant_id, kind, event_no, number, facts, content_hash, outcome, deliveries, attempts,
   received_at, due_at)
VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s, '', 1, 0, %s, %s)
ON CONFLICT (channel, merchant_id, event_no) DO UPDATE SET deliveries = kept.deliveries + 1
RETURNING id, applied_at IS NOT NULL, content_hash
"""


@dataclass(frozen=True, slots=True)
class Received:
    """How to answer, and which notice a task must now apply (None: nothing)."""

    reply: NoticeReply
    notice_id: int | None


def notice_receive(
    *,
    channel: str,
    merchant_no: str,
    kind: NoticeKind,
    headers: Mapping[str, str],
    body: bytes,
    address: str,
) -> Received:
    """Verify, store, answer. Nothing of the body is believed before its signature is."""
    merchant = Merchant.objects.filter(channel=channel, merchant_no=merchant_no).first()
    adapter = channel_get(channel)
    account = merchant_account(merchant, channel=channel)
    try:
        if merchant is None:
            raise NoticeRefused("unknown merchant")
        notice = adapter.parse_notice(kind, headers, body, account)
        if (notice.merchant_no, notice.app_id) != (account.merchant_no, account.app_id):
            raise NoticeRefused("foreign merchant or app")
    except NoticeRefused as refused:
        audit.record_limited(
            by=SYSTEM,
            action="notice_refused",
            subject="channel",
            subject_id=f"{channel}/{merchant_no}"[:64],
            detail={"kind": kind, "why": str(refused)[:200], "bytes": len(body)},
            address=address,
            per_address=policy().refusals_kept_per_address,
            per_minute=policy().refusals_kept,
        )
        return Received(adapter.notice_reply(kind, accepted=False, message="refused"), None)
    notice_id, applied = _store(channel, merchant, notice)
    failpoint("notice.stored")
    if applied:
        return Received(adapter.notice_reply(kind, accepted=True, message="OK"), None)
    if notice.kind is not NoticeKind.AGREEMENT and not _known(notice.number):
        _unknown_order(notice_id)
        return Received(adapter.notice_reply(kind, accepted=False, message="no order"), None)
    return Received(adapter.notice_reply(kind, accepted=True, message="OK"), notice_id)


def notice_apply(*, notice_id: int) -> int | None:
    """Apply a stored notice once; returns the transaction it moved. Safe to call twice.

    One that cannot be applied is kept for later and in the end shown to a person.
    """
    with notice_kept(notice_id=notice_id):
        return _apply(notice_id)
    return None


def _apply(notice_id: int) -> int | None:
    notice = PaymentNotice.objects.get(pk=notice_id)
    if notice.applied_at is not None:
        return None
    by = Actor("channel", notice.channel, f"notice {notice.pk}")
    if notice.kind == NoticeKind.AGREEMENT:
        outcome = agreement_apply_notice(notice=notice, by=by)
        _applied(notice, outcome, None)
        return None
    row = (
        PaymentTransaction.objects.filter(number=notice.number)
        .select_related("payment__merchant", "original__payment", "agreement")
        .first()
    )
    if row is None:
        return None
    differs = _differs(notice, row)
    if differs:
        review_open(
            reason=ReviewReason.STATE_DIFFERS,
            transaction=row,
            notice=notice,
            figures={"differs": differs},
        )
        _applied(notice, f"{differs} differs", row)
        return None
    answer, source = _answer(notice.facts), Source.NOTICE
    came_back = answer.code == CAME_BACK and row.status == TransactionStatus.SUCCEEDED
    if answer.code == CONFIRM_BY_QUERY or came_back:
        # A notice that only rings, or takes a success back: what it claims is asked for.
        answer, source = refund_look(row=row), Source.QUERY
    after = transaction_apply(transaction_id=row.pk, answer=answer, source=source, by=by)
    failpoint("notice.before_applied")
    _applied(notice, f"{answer.outcome} -> {after.status}", row)
    if notice.received_at < row.created_at:
        _explained(notice)
    return row.pk


def _differs(notice: PaymentNotice, row: PaymentTransaction) -> str:
    """In what a truly signed notice is not about our transaction; empty when it is."""
    if notice.facts["currency"] != "CNY":
        return "currency"
    if notice.merchant_id != row.payment.merchant_id:
        return "merchant"
    if notice.kind != row.kind.lower():
        return "kind"
    contract_id = notice.facts.get("contract_id")
    if contract_id and row.agreement is not None and contract_id != row.agreement.contract_id:
        return "contract"
    original_number = notice.facts.get("original_number")
    if original_number and row.original is not None and original_number != row.original.number:
        return "original order"
    return ""


def notices_due(*, limit: int) -> list[int]:
    """Stored notices that no task has applied after a while, and whose order is known by now;
    leased to the caller."""
    return notices_lease(limit=limit, lease_s=policy().lease_s)


def _store(channel: str, merchant: Merchant, notice: Notice) -> tuple[int, bool]:
    """Keep it, or count it as a repeated delivery; its id, and whether it was applied before.

    A number that comes again with other content is not that delivery: the first one stands, and a
    person is told what the second one said.
    """
    now, facts, content = clock.now(), _facts(notice), _content_hash(notice)
    with connection.cursor() as cursor:
        cursor.execute(
            _STORE,
            [
                channel,
                merchant.pk,
                notice.kind.value,
                notice.event_no,
                notice.number,
                dumps(facts),
                content,
                now,
                now + timedelta(seconds=policy().lease_s),
            ],
        )
        row = cursor.fetchone()
    assert row is not None
    if row[2] not in (content, ""):  # stored before contents were hashed: nothing to compare
        _other_content(row[0], notice)
    return row[0], row[1]


def _content_hash(notice: Notice) -> str:
    """Of what was said. When to ask again is our own word and differs with every delivery."""
    said = _facts(notice) | {"kind": notice.kind.value, "number": notice.number}
    said.pop("retry_at")
    return input_hash(said)


def _other_content(notice_id: int, notice: Notice) -> None:
    with transaction.atomic():
        kept = notice_lock(notice_id)
        review_open(
            reason=ReviewReason.STATE_DIFFERS,
            notice=kept,
            figures={
                "number": notice.number,
                "ours": f"{kept.kind} {kept.number} {kept.facts.get('outcome', '')}",
                "theirs": f"{notice.kind} {notice.number} {notice.answer.outcome}",
                "ours_fen": kept.facts.get("amount_fen"),
                "theirs_fen": notice.answer.amount_fen,
            },
        )


def _facts(notice: Notice) -> dict[str, Any]:
    """What was said, in our own words; no personal data beyond the payer's id at the channel."""
    answer = notice.answer
    return {
        "outcome": answer.outcome.value,
        "code": answer.code,
        "message": answer.message,
        "channel_no": answer.channel_no,
        "amount_fen": answer.amount_fen,
        "occurred_at": answer.occurred_at.isoformat() if answer.occurred_at else None,
        "closed": answer.closed,
        "payer_id": answer.payer_id,
        # A notice that only rings (v2 refunds) asks for its query at once, not at the next look.
        "retry_at": answer.retry_at.isoformat() if answer.retry_at else None,
        "currency": notice.currency,
        "contract_id": notice.contract_id,
        "original_number": notice.original_number,
        "plan_id": notice.plan_id,
        "agreement_active": notice.agreement_active,
    }


def _answer(facts: Mapping[str, Any]) -> ChannelAnswer:
    at, retry_at = facts["occurred_at"], facts.get("retry_at")
    return ChannelAnswer(
        outcome=Outcome(facts["outcome"]),
        code=facts["code"],
        message=facts["message"],
        channel_no=facts["channel_no"],
        amount_fen=facts["amount_fen"],
        occurred_at=datetime.fromisoformat(at) if at else None,
        closed=facts["closed"],
        payer_id=facts["payer_id"],
        retry_at=datetime.fromisoformat(retry_at) if retry_at else None,
    )


def _known(number: str) -> bool:
    return PaymentTransaction.objects.filter(number=number).exists()


def _unknown_order(notice_id: int) -> None:
    """Asked again by the channel; a person is told once, since money may have moved."""
    with transaction.atomic():
        notice = notice_lock(notice_id)
        if notice.applied_at is not None:
            return  # the order was committed, and the notice applied, in this moment
        review_open(
            reason=ReviewReason.UNKNOWN_ORDER, notice=notice, figures={"number": notice.number}
        )


def _explained(notice: PaymentNotice) -> None:
    """The order came after its notice: nobody need look for it any more."""
    with transaction.atomic():
        for case in reviews_of_notice_lock(notice.pk):
            review_decide(
                review=case, to=ReviewStatus.WITHDRAWN, by=SYSTEM, comment="the order came later"
            )


def _applied(notice: PaymentNotice, outcome: str, row: PaymentTransaction | None) -> None:
    PaymentNotice.objects.filter(pk=notice.pk, applied_at=None).update(
        applied_at=clock.now(), due_at=None, outcome=outcome[:100], transaction=row
    )
