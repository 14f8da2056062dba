"""Text messages: one JSON call, signed with HMAC-SHA256 over timestamp and body."""

from __future__ import annotations

import hashlib
import hmac
import json

from core import clock
from core.outbound import OutboundRequest, Timeout, send
from patients.messengers.base import (
    SENT,
    Delivered,
    Message,
    MessengerConfig,
    again,
    refused,
    short_key,
)

COUNTERPARTY = "sms"
TIMEOUT = Timeout(connect_s=2, read_s=5)
# The number can never be reached; everything else may pass or be repaired.
NOT_REACHABLE = frozenset({"MOBILE_NUMBER_ILLEGAL"})


class Sms:
    """The gateway's template places the fields; our key makes a repeated send one message."""

    def __init__(self, config: MessengerConfig) -> None:
        self.base_url = str(config["base_url"]).rstrip("/")
        self.key = str(config["key"])
        self.secret = str(config["secret"])
        self.sign_name = str(config["sign_name"])
        self.template = str(config["template"])
        # A vendor passes codes by another template, at once and without a list of who opted out.
        self.templates = {
            "phone_code": str(config["code_template"]),
            "binding_code": str(config.get("card_template", self.template)),
        }
        # What happened to no bill has no sum and no number to place.
        self.notice_template = str(config.get("notice_template", self.template))

    def send(self, message: Message) -> Delivered:
        fields = dict(message.fields)
        if message.link:
            fields["link"] = message.link
        body = json.dumps(
            {
                "phone": message.address,
                "sign_name": self.sign_name,
                "template": self._template(message),
                "params": fields,
                "out_id": short_key(message.key),
            },
            ensure_ascii=False,
        ).encode()
        timestamp = str(int(clock.now().timestamp()))
        answer = send(
            OutboundRequest(
                counterparty=COUNTERPARTY,
                operation="send",
                reference=short_key(message.key),
                method="POST",
                url=f"{self.base_url}/sms/send",
                timeout=TIMEOUT,
                headers={
                    "Content-Type": "application/json",
                    "X-Sms-Key": self.key,
                    "X-Sms-Timestamp": timestamp,
                    "X-Sms-Signature": signature(self.secret, timestamp, body),
                },
                body=body,
            )
        )
        if answer.failure is not None:
            return again(f"no answer ({answer.failure})")
        return _verdict(answer.status, answer.body)

    def _template(self, message: Message) -> str:
        usual = self.template if message.fields.get("amount") else self.notice_template
        return self.templates.get(message.kind, usual)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """hex(HMAC-SHA256(secret, timestamp + line feed + body))."""
    signed = timestamp.encode() + b"\n" + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def _verdict(status: int | None, body: bytes) -> Delivered:
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        return again(f"status {status}")
    code = str(data.get("code", ""))
    if code == "OK" and status == 200:  # noqa: PLR2004
        return SENT
    reason = f"{code or status}: {data.get('message', '')}"
    return refused(reason) if code in NOT_REACHABLE else again(reason)
