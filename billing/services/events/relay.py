"""Publish events in order and push them to the HIS until it says it heard.

One publisher at a time (an advisory lock) gives the ids a reader pages by, so an id that is visible
has no smaller one still to come. A push is any 2xx, else it is repeated for 72 hours; the
invoice's next event waits behind it, and in the end a person is told. A system that does not answer
costs the others at most one wait in a sweep.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from billing.locks import invoice_lock
from billing.locks.leases import event_lease, events_numbering_lock
from billing.models import HisEvent, ReviewReason
from billing.policy import policy
from billing.selectors.events import event_body
from billing.services.reviews import review_open
from core import clock
from core.failpoints import failpoint
from core.outbound import OutboundRequest, Timeout, send

_PUBLISH = """
UPDATE billing_hisevent e SET event_id = numbered.event_id,
  due_at = CASE WHEN c.events_url <> '' AND c.active THEN %s::timestamptz END
FROM (
  SELECT id, (SELECT coalesce(max(event_id), 0) FROM billing_hisevent)
         + row_number() OVER (ORDER BY id) AS event_id
  FROM billing_hisevent WHERE event_id IS NULL ORDER BY id LIMIT %s
) AS numbered, patients_hisclient c
WHERE e.id = numbered.id AND c.id = e.client_id
"""
PUBLISH_LIMIT = 1000
logger = logging.getLogger(__name__)
TIMEOUT = Timeout(connect_s=2, read_s=5)


def events_publish() -> int:
    """Number what is committed and not yet numbered; returns how many."""
    if not HisEvent.objects.filter(event_id=None).exists():
        return 0
    with transaction.atomic():
        events_numbering_lock()
        with connection.cursor() as cursor:
            cursor.execute(_PUBLISH, [clock.now(), PUBLISH_LIMIT])
            numbered = int(cursor.rowcount)
    failpoint("relay.numbered")
    return numbered


def events_push_due(*, limit: int) -> int:
    """Push what is due, system by system; returns how many were tried.

    Whoever took the last ones comes first. One that does not take an event has had its turn, so
    that its silence is waited for once, and a fault of one event stops no other's.
    """
    clients = list(
        _due()
        .order_by()
        .values("client")
        .annotate(tries=Max("attempts"))
        .order_by("tries", "client")
        .values_list("client", flat=True)
    )
    tried = 0
    for client_id in clients:
        rows = _due().filter(client=client_id).order_by("event_id")
        room = min(policy().events_per_client, limit - tried)
        for event_pk in rows.values_list("pk", flat=True)[:room]:
            tried += 1
            if not event_push(event_pk=event_pk):
                break
    return tried


def _due() -> QuerySet[HisEvent]:
    earlier = HisEvent.objects.filter(
        invoice=OuterRef("invoice"),
        event_id__lt=OuterRef("event_id"),
        delivered_at=None,
        due_at__isnull=False,
    )
    due = HisEvent.objects.filter(due_at__lte=clock.now(), delivered_at=None)
    return due.filter(~Exists(earlier))


def event_push(*, event_pk: int) -> bool:
    """Push one event if it is due; True when the HIS took it.

    An event that cannot even be sent (an address that is none, a key that is lost) is repeated and
    given up like one that is not taken.
    """
    now = clock.now()
    if not event_lease(event_pk=event_pk, lease_s=policy().lease_s):
        return False
    event = HisEvent.objects.select_related("client", "invoice").get(pk=event_pk)
    try:
        taken = _sent(event, now)
    except Exception:
        logger.exception("event %s could not be pushed", event.event_id)
        taken = False
    if taken:
        HisEvent.objects.filter(pk=event.pk).update(delivered_at=clock.now(), due_at=None)
    else:
        _again(event)
    return taken


def _sent(event: HisEvent, now: datetime) -> bool:
    body = json.dumps(event_body(event), ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = str(int(now.timestamp()))
    answer = send(
        OutboundRequest(
            counterparty="his",
            operation="event",
            reference=str(event.event_id),
            method="POST",
            url=event.client.events_url,
            timeout=TIMEOUT,
            headers={
                "Content-Type": "application/json",
                "Portal-Timestamp": timestamp,
                "Portal-Signature": event_signature(event.client.events_secret, timestamp, body),
            },
            body=body,
        )
    )
    failpoint("relay.sent")
    return answer.status is not None and 200 <= answer.status < 300  # noqa: PLR2004


def event_signature(secret: str, timestamp: str, body: bytes) -> str:
    """`v1=` and the hex HMAC-SHA256 of timestamp, a dot and the body."""
    signed = timestamp.encode() + b"." + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _again(event: HisEvent) -> None:
    rules = policy()
    now = clock.now()
    if now - event.created_at > timedelta(seconds=rules.event_give_up_s):
        with transaction.atomic():
            HisEvent.objects.filter(pk=event.pk).update(due_at=None)
            review_open(
                reason=ReviewReason.EVENT_NOT_DELIVERED,
                invoice=invoice_lock(event.invoice_id),
                figures={"event_id": event.event_id, "attempts": event.attempts},
            )
        return
    step = min(event.attempts, len(rules.event_retry_s) - 1)
    HisEvent.objects.filter(pk=event.pk).update(
        attempts=event.attempts + 1, due_at=now + timedelta(seconds=rules.event_retry_s[step])
    )
