"""Messages to people: queued with the fact they tell, sent when nothing is locked.

A message names a user; how that user is reached is looked up when it is sent, so that queueing in
the money's transaction is one statement and reads no address. The WeChat account
comes first; a user it cannot reach gets a text message instead. A patient without an account is
reached by the phone on the hospital's record, a minor by the guardian's account or phone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from psycopg.types.json import Jsonb

from core import clock
from core.actors import SYSTEM
from core.json_values import dumps
from core.statements import prepared_cursor
from core.states import transition
from patients.locks import notification_locked, notifications_due_locked
from patients.messages import TEXTS, message_fields
from patients.messengers.base import Delivered, Delivery, again, refused
from patients.messengers.base import Message as Outgoing
from patients.messengers.registry import messenger_get
from patients.models import Messenger, Notification, NotificationStatus
from patients.selectors import (
    minors_born_after,
    notification_addresses,
    notification_told_already,
)

GIVE_UP_AFTER = timedelta(hours=24)
RETRY_S = (5, 15, 30, 60, 120, 300, 600, 1800, 3600)
# A claimed message is nobody else's for this long, above its three calls of seven seconds each; a
# killed worker's messages are late by less than half a minute.
LEASE = timedelta(seconds=25)
CHUNK = 1
ERROR_LENGTH_MAX = 200


# The messages travel as one value, so that one prepared statement serves any number of them. One to
# the patient's own users becomes one for each, as they are at this moment; where there is none, one
# to the phone on record (no user: `notification_addresses` finds it), if it is to have one.
_QUEUE = """
INSERT INTO patients_notification
  (key, kind, user_id, patient_id, messenger, address, facts, link, status, attempts, due_at,
   last_error, created_at)
SELECT receiver.key, kind, receiver.user_id, %s::bigint, receiver.messenger, address, facts, link,
  %s, 0, %s, '', %s
FROM jsonb_to_recordset(%s) AS message (
  key text, kind text, user_id bigint, messenger text, address text, facts jsonb, link text,
  own_users boolean, but_not bigint, on_record boolean),
LATERAL (
  SELECT message.key, message.user_id, message.messenger WHERE NOT own_users
  UNION ALL
  SELECT message.key || '/' || access.user_id, access.user_id, message.messenger
  FROM patients_patientaccess access
  WHERE own_users AND access.patient_id = %s AND access.relation = 'self' AND access.may_view
    AND access.user_id IS DISTINCT FROM but_not
  UNION ALL
  SELECT message.key || '/' || coalesce(holder.user_id::text, 'record'), holder.user_id,
    CASE WHEN holder.user_id IS NULL THEN %s ELSE message.messenger END
  FROM patients_patient person
  LEFT JOIN patients_patient guardian
    ON guardian.id = person.guardian_id AND person.birth_date > %s
  LEFT JOIN patients_patientaccess holder ON holder.patient_id = guardian.id
    AND holder.relation = 'self' AND holder.ended_at IS NULL
  WHERE on_record AND person.id = %s AND NOT EXISTS (
      SELECT FROM patients_patientaccess own
      WHERE own.patient_id = person.id AND own.relation = 'self' AND own.may_view)
    AND (holder.user_id <> but_not OR holder.user_id IS NULL OR but_not IS NULL)
    AND (holder.user_id IS NOT NULL OR person.phone_index <> '' OR guardian.phone_index <> '')
) AS receiver
ON CONFLICT DO NOTHING
"""


_ADDRESS = Notification._meta.get_field("address")
_LINK = Notification._meta.get_field("link")


@dataclass(frozen=True, slots=True)
class Message:
    """One fact for one user. The key makes queueing it again a no-op; a link is kept encrypted.

    `phone` holds where it goes, by text message alone: for what must reach the ways of before.
    """

    key: str
    kind: str
    user_id: int | None
    facts: Mapping[str, Any]
    link: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """One fact for each user the patient is (may see their own bills), but not for `but_not`.

    Each one's key is this key and the user. With `on_record` a patient whom no account belongs to
    is told by a text message: it is about their own care and asks for no consent.
    """

    key: str
    kind: str
    facts: Mapping[str, Any]
    but_not: int | None = None
    link: str = ""
    on_record: bool = False


def notifications_queue(
    *, messages: Sequence[Message | OwnMessage], patient_id: int | None = None
) -> None:
    """Queue messages in the caller's transaction; one statement for all of them.

    A message without a user goes to the phone on the patient's record.
    """
    if not messages:
        return
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a message is queued in the transaction of what it tells")
    unknown = {one.kind for one in messages} - TEXTS.keys()
    if unknown:
        raise ValueError(f"no text for {sorted(unknown)}")
    now = clock.now()
    rows = Jsonb([_as_row(one) for one in messages], dumps=dumps)
    to, waits, sms = patient_id, NotificationStatus.WAITING.value, Messenger.SMS.value
    with prepared_cursor() as cursor:
        cursor.execute(_QUEUE, [to, waits, now, now, rows, to, sms, minors_born_after(), to])


def _as_row(message: Message | OwnMessage) -> dict[str, Any]:
    own = isinstance(message, OwnMessage)
    user_id = None if isinstance(message, OwnMessage) else message.user_id
    phone = "" if isinstance(message, OwnMessage) else message.phone
    by_wallet = (own or user_id) and not phone
    return {
        "key": message.key,
        "kind": message.kind,
        "user_id": user_id,
        "messenger": Messenger.WECHAT_TEMPLATE if by_wallet else Messenger.SMS,
        "address": _ADDRESS.get_prep_value(phone),
        "facts": message.facts,
        "link": _LINK.get_prep_value(message.link),
        "own_users": own,
        "but_not": message.but_not if isinstance(message, OwnMessage) else None,
        "on_record": isinstance(message, OwnMessage) and message.on_record,
    }


def notifications_send_due(*, now: datetime, limit: int) -> int:
    """Send what is due, a few at a time; returns how many left the house.

    Two callers never send the same message: each claims its rows with a lease before it calls
    anybody. A killed caller's rows come due again when the lease ends.
    """
    sent = tried = 0
    while tried < limit:
        claimed = _claim(now, min(CHUNK, limit - tried))
        if not claimed:
            break
        tried += len(claimed)
        sent += sum(_deliver(row) for row in claimed)
    return sent


def _claim(now: datetime, limit: int) -> list[Notification]:
    with transaction.atomic():
        rows = notifications_due_locked(now=now, limit=limit)
        for row in rows:
            row.due_at = clock.now() + LEASE
            row.attempts += 1
        Notification.objects.bulk_update(rows, ["due_at", "attempts"])
    return rows


def _deliver(row: Notification) -> bool:
    """Try the ways to reach the receiver in their order, then write down how it went."""
    delivered, messenger, address = _try(row)
    with transaction.atomic():
        current = notification_locked(row.pk)
        if current.status == NotificationStatus.WAITING:
            _conclude(current, delivered, messenger, address)
    return delivered.delivery is Delivery.SENT


def _try(row: Notification) -> tuple[Delivered, str, str]:
    outcome, messenger, address = refused("nobody to reach"), row.messenger, ""
    if notification_told_already(row):
        return refused("told already"), messenger, address
    fields = message_fields(row.kind, row.facts)
    for messenger, address in notification_addresses(row):
        adapter = messenger_get(messenger)
        if adapter is None:
            outcome = again("messenger not set up")
            continue
        outcome = adapter.send(
            Outgoing(
                key=row.key,
                address=address,
                kind=row.kind,
                fields=fields,
                link=row.link,
            )
        )
        if outcome.delivery is not Delivery.REFUSED:
            break
    return outcome, messenger, address


def _conclude(row: Notification, outcome: Delivered, messenger: str, address: str) -> None:
    now = clock.now()
    reason = outcome.reason[:ERROR_LENGTH_MAX]
    if outcome.delivery is Delivery.SENT:
        transition(
            row,
            NotificationStatus.SENT,
            by=SYSTEM,
            messenger=messenger,
            address=address,
            link="",
            due_at=None,
            sent_at=now,
            last_error="",
        )
    elif outcome.delivery is Delivery.REFUSED or now >= row.created_at + GIVE_UP_AFTER:
        transition(
            row,
            NotificationStatus.GIVEN_UP,
            by=SYSTEM,
            reason=reason,
            link="",
            due_at=None,
            last_error=reason,
        )
    else:
        row.due_at = now + timedelta(seconds=RETRY_S[min(row.attempts, len(RETRY_S)) - 1])
        row.last_error = reason
        row.save(update_fields=["due_at", "last_error"])
