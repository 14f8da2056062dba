"""Tokens, OAuth codes and messages: what the receivers write down."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from sandbox.messages.models import AccessToken, Message, OAuthCode
from sandbox.world import clock

TOKEN_SECONDS = 7200
CODE_SECONDS = 300


@dataclass(frozen=True)
class Sent:
    """A message as a vendor understood it, before it is stored."""

    kind: Message.Kind
    receiver: str
    template: str
    params: dict[str, Any]
    sign_name: str = ""
    url: str = ""
    sender_no: str = field(default="")


def token_issue(*, appid: str) -> AccessToken:
    return AccessToken.objects.create(
        token=secrets.token_urlsafe(48),
        appid=appid,
        expires_at=clock.now() + timedelta(seconds=TOKEN_SECONDS),
    )


def message_store(*, sent: Sent, message_id: str) -> Message:
    """Stores it once; the sender's number sent again gives the message that is there."""
    values = {
        "message_id": message_id,
        "receiver": sent.receiver,
        "template": sent.template,
        "params": list(sent.params.items()),
        "sign_name": sent.sign_name,
        "url": sent.url,
        "received_at": clock.now(),
    }
    if not sent.sender_no:
        return Message.objects.create(kind=sent.kind, **values)
    try:
        with transaction.atomic():
            return Message.objects.create(kind=sent.kind, sender_no=sent.sender_no, **values)
    except IntegrityError:
        return Message.objects.get(kind=sent.kind, sender_no=sent.sender_no)


def code_issue(*, appid: str, openid: str, scope: str) -> OAuthCode:
    return OAuthCode.objects.create(
        code=secrets.token_urlsafe(24),
        appid=appid,
        openid=openid,
        scope=scope,
        expires_at=clock.now() + timedelta(seconds=CODE_SECONDS),
    )


def code_use(*, code: str, appid: str) -> OAuthCode | None:
    """The code, once; None when it is unknown, used, expired or another account's."""
    rows = OAuthCode.objects.filter(code=code, appid=appid, used=False, expires_at__gt=clock.now())
    return OAuthCode.objects.get(code=code) if rows.update(used=True) else None


def messages_empty() -> None:
    for model in (Message, AccessToken, OAuthCode):
        model.objects.all().delete()
