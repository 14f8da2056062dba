"""What the message services know and their pages show."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Max

from sandbox.messages.models import AccessToken, Message
from sandbox.wechat_pay.models import Wallet
from sandbox.world import clock
from sandbox.world.registry import PAGE

NUMBERS_MAX = 20


def token_state(token: str) -> str:
    """`valid`, `expired` or `unknown`."""
    row = AccessToken.objects.filter(token=token).first()
    if row is None:
        return "unknown"
    return "valid" if row.expires_at > clock.now() else "expired"


def openid_known(openid: str) -> bool:
    return bool(openid) and Wallet.objects.filter(openid=openid).exists()


def people() -> list[Wallet]:
    """Whoever may hold a phone here."""
    return list(Wallet.objects.order_by("name", "pk")[:100])


def messages_for(*, openid: str, phone: str) -> list[Message]:
    """What one person's phone shows, newest first."""
    receivers = [one for one in (openid, phone) if one]
    return list(Message.objects.filter(receiver__in=receivers).order_by("-id")[:100])


def numbers_without_wallet() -> list[str]:
    """Phones that got text messages and hold no wallet, the latest first."""
    known = Wallet.objects.exclude(phone="").values("phone")
    rows = Message.objects.filter(kind=Message.Kind.SMS).exclude(receiver__in=known)
    latest = rows.values("receiver").annotate(last=Max("id")).order_by("-last")
    return [str(row["receiver"]) for row in latest[:NUMBERS_MAX]]


def message_rows(kind: str, since: datetime | None, page: int) -> list[dict[str, Any]]:
    rows = Message.objects.filter(kind=kind).order_by("id")
    if since is not None:
        rows = rows.filter(received_at__gte=since)
    start = (page - 1) * PAGE
    return [
        {
            "number": row.sender_no,
            "own_number": row.message_id,
            "receiver": row.receiver,
            "template": row.template,
            "params": dict(row.params),
            "url": row.url,
            "status": "received",
            "at": row.received_at.isoformat(),
        }
        for row in rows[start : start + PAGE]
    ]
