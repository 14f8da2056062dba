"""What a channel told us: verified by its adapter, stored once, answered, then applied.

A notice for an order we do not know is stored and answered as not accepted, so that the channel
tells it again: it may have come before our own commit. One of an agreement we do not know is
accepted, since no commit of ours can still come, and shown to a person. A notice that contradicts
us in merchant, app, currency or amount is kept with a review and moves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction

from billing.channels.base import (
    Notice,
    NoticeKind,
    NoticeRefused,
    NoticeReply,
)
from billing.channels.registry import channel_get
from billing.locks import notice_lock
from billing.models import (
    Merchant,
    PaymentTransaction,
    ReviewReason,
)
from billing.policy import policy
from billing.services.merchants import merchant_account
from billing.services.notices.facts import content_hash, facts_of
from billing.services.reviews import review_open
from core import audit, clock
from core.actors import SYSTEM
from core.failpoints import failpoint
from core.json_values import dumps

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


def _store(channel: str, merchant: Merchant, notice: Notice) -> tuple[int, bool]:
    """Keep it, or count it as a repeated delivery; its id, and whether it was applied before.

    A number that comes again with other content is not that delivery: the first one stands, and a
    person is told what the second one said.
    """
    now, facts, content = clock.now(), facts_of(notice), content_hash(notice)
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
