"""WeChat template messages (模板消息): an access token, then one JSON call per message."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured

from core import clock
from core.outbound import OutboundAnswer, OutboundRequest, Timeout, send
from patients.messengers.base import (
    NOTICE_FIELDS,
    SENT,
    Delivered,
    Message,
    MessengerConfig,
    again,
    refused,
    short_key,
)

COUNTERPARTY = "wechat_message"
TIMEOUT = Timeout(connect_s=2, read_s=5)
# Another process may have fetched a newer token, which ends ours early.
TOKEN_GONE = frozenset({40001, 40014, 42001})
# The receiver cannot be reached this way, however often we try.
NOT_REACHABLE = frozenset({40003, 43004, 43019})
# Ours to repair: wrong account, secret or template. Trying again helps once it is repaired.
TOKEN_MARGIN = timedelta(minutes=5)
TOKEN_TRIES = 2


class WechatTemplate:
    """`Delivery.REFUSED` means that this user has no way to be reached by WeChat."""

    def __init__(self, config: MessengerConfig) -> None:
        self.base_url = str(config["base_url"]).rstrip("/")
        self.app_id = str(config["app_id"])
        self.secret = str(config["secret"])
        self.template_id = str(config["template_id"])
        self.names = _names(str(config.get("template_fields", "")))

    def send(self, message: Message) -> Delivered:
        for _attempt in range(TOKEN_TRIES):
            token = self._token(message.key)
            if not token:
                return again("no access token")
            answer = _read(self._post(message, token))
            code = answer.get("errcode")
            if code not in TOKEN_GONE:
                break
            cache.delete(self._cache_key)
        if code == 0:
            return SENT
        reason = f"{code}: {answer.get('errmsg', '')}"
        return refused(reason) if code in NOT_REACHABLE else again(reason)

    @property
    def _cache_key(self) -> str:
        return f"wechat_access_token/{self.app_id}"

    def _token(self, reference: str) -> str:
        """The cached token, or a new one. Its end is told in the house's time."""
        kept: tuple[str, datetime] | None = cache.get(self._cache_key)
        if kept is not None and kept[1] > clock.now():
            return kept[0]
        query = urlencode(
            {"grant_type": "client_credential", "appid": self.app_id, "secret": self.secret}
        )
        answer = _read(
            send(
                OutboundRequest(
                    counterparty=COUNTERPARTY,
                    operation="token",
                    reference=short_key(reference),
                    method="GET",
                    url=f"{self.base_url}/cgi-bin/token?{query}",
                    timeout=TIMEOUT,
                )
            )
        )
        token, lives_s = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(lives_s, int):
            return ""
        ends = clock.now() + timedelta(seconds=lives_s) - TOKEN_MARGIN
        cache.set(self._cache_key, (token, ends), timeout=lives_s)
        return token

    def _data(self, message: Message) -> dict[str, dict[str, str]]:
        """The fields by the template's names; one it has no place for stays at home."""
        names = self.names or {name: name for name in message.fields}
        return {
            names[name]: {"value": value} for name, value in message.fields.items() if name in names
        }

    def _post(self, message: Message, token: str) -> OutboundAnswer:
        body: dict[str, Any] = {
            "touser": message.address,
            "template_id": self.template_id,
            "data": self._data(message),
            "client_msg_id": short_key(message.key),
        }
        if message.link:
            body["url"] = message.link
        query = urlencode({"access_token": token})
        return send(
            OutboundRequest(
                counterparty=COUNTERPARTY,
                operation="send",
                reference=short_key(message.key),
                method="POST",
                url=f"{self.base_url}/cgi-bin/message/template/send?{query}",
                timeout=TIMEOUT,
                headers={"Content-Type": "application/json"},
                body=json.dumps(body, ensure_ascii=False).encode(),
            )
        )


def _names(setting: str) -> dict[str, str]:
    """`title=thing1,amount=amount2`: our field → the vendor's place; empty means our own names."""
    pairs = [pair.partition("=") for pair in setting.split(",") if pair.strip()]
    names = {ours.strip(): theirs.strip() for ours, _equals, theirs in pairs}
    for ours, theirs in names.items():
        if ours not in NOTICE_FIELDS or not theirs:
            known = ", ".join(NOTICE_FIELDS)
            raise ImproperlyConfigured(f"template_fields: {ours or theirs!r} is none of {known}")
    return names


def _read(answer: OutboundAnswer) -> dict[str, Any]:
    """WeChat's JSON; what is none of it reads as an answer with a reason and without a code."""
    if answer.failure is not None:
        return {"errmsg": f"no answer ({answer.failure})"}
    try:
        data = json.loads(answer.body)
    except ValueError:
        data = None
    if answer.status != 200 or not isinstance(data, dict):  # noqa: PLR2004
        return {"errmsg": f"status {answer.status}"}
    return data
