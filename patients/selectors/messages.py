"""The messages a user was sent, as they were written. Nothing here names a diagnosis: no message
does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.models import User
from patients.messages import TEXTS, message_fields
from patients.models import (
    Messenger,
    Notification,
    NotificationStatus,
    PatientAccess,
)

PAGE_SIZE = 20
WAYS: dict[str, Promise] = {
    Messenger.WECHAT_TEMPLATE: _("by WeChat"),
    Messenger.SMS: _("by text message"),
}


@dataclass(frozen=True, slots=True)
class SentMessage:
    pk: int
    key: str
    kind: str
    name: str
    fields: dict[str, str]
    amount_fen: int | None
    sent_at: datetime
    way: str


@dataclass(frozen=True, slots=True)
class MessagesPage:
    rows: tuple[SentMessage, ...]
    older: int | None


def messages_page(user: User, *, before: int | None = None) -> MessagesPage:
    """What left the house for this user, newest first; one statement."""
    rows = Notification.objects.filter(user=user, status=NotificationStatus.SENT)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    # What only sending needs is encrypted and stays unread.
    rows = rows.filter(kind__in=TEXTS).defer("address", "link").select_related("patient")
    own = PatientAccess.objects.own().filter(user=user, patient=OuterRef("patient"))
    rows = rows.annotate(is_own=Exists(own))
    found = list(rows.order_by("-pk")[: PAGE_SIZE + 1])
    shown = found[:PAGE_SIZE]
    older = shown[-1].pk if len(found) > PAGE_SIZE else None
    return MessagesPage(tuple(_message(row) for row in shown), older)


def _message(row: Notification) -> SentMessage:
    """As it was written; only whoever reads of themselves sees the whole name again."""
    amount = row.facts.get("amount_fen")
    fields = message_fields(row.kind, row.facts)
    about_own = amount is not None and row.patient is not None and getattr(row, "is_own", False)
    return SentMessage(
        pk=row.pk,
        key=row.key,
        kind=row.kind,
        name=row.patient.name if about_own and row.patient else fields["name"],
        fields=fields,
        amount_fen=amount if isinstance(amount, int) else None,
        sent_at=row.sent_at or row.created_at,
        way=str(WAYS.get(row.messenger, "")),
    )
