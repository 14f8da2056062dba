"""One signed v3 call: sent, verified, read. What cannot be believed is already a ChannelAnswer.

A definite answer needs a valid signature, refusals included: WeChat signs every reply to a request
whose own signature was good, so an unsigned 4xx proves nothing. Rates and 5xx need none, since
they decide nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from billing.channels import answers
from billing.channels.base import ChannelAnswer, MerchantAccount, Operation
from billing.channels.strict_json import (
    JsonObject,
    JsonRefused,
    object_read,
    object_write,
    text_get,
)
from core import clock
from core.outbound import OutboundAnswer
from core.rsa2 import SignatureRefused

from . import transport, verdicts
from .account import merchant_key, platform_keys, secret_get
from .v3_signing import authorization_header, message_verify, nonce_new


@dataclass(frozen=True, slots=True)
class V3Reply:
    """A verified reply: below 300 with its data, else with the error's code and message."""

    status: int
    data: JsonObject

    @property
    def accepted(self) -> bool:
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def code(self) -> str:
        return text_get(self.data, "code") or f"HTTP_{self.status}"

    @property
    def message(self) -> str:
        return text_get(self.data, "message")


def v3_call(
    account: MerchantAccount,
    *,
    operation: Operation,
    reference: str,
    method: str,
    target: str,
    data: JsonObject | None = None,
) -> V3Reply | ChannelAnswer:
    """Send one request; `target` is the path with its query string, as it is signed."""
    body = b"" if data is None else object_write(data)
    answer = transport.send(
        operation=operation,
        reference=reference,
        method=method,
        url=account.base_url.rstrip("/") + target,
        headers=_headers(account, method=method, target=target, body=body),
        body=body,
    )
    if isinstance(answer, ChannelAnswer):
        return answer
    status = answer.status or 0
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return verdicts.too_often(operation, answer.headers)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return answers.unknown(f"HTTP_{status}")
    return _believe(account, answer, status)


def _believe(
    account: MerchantAccount, answer: OutboundAnswer, status: int
) -> V3Reply | ChannelAnswer:
    try:
        message_verify(
            headers=answer.headers,
            body=answer.body,
            keys=platform_keys(account),
            now=clock.now(),
        )
        data = object_read(answer.body) if answer.body else {}
    except SignatureRefused as refusal:
        return answers.unknown("UNVERIFIED", f"HTTP {status}: {refusal}")
    except JsonRefused as refusal:
        return answers.unknown("UNREADABLE", f"HTTP {status}: {refusal}")
    return V3Reply(status, data)


def _headers(account: MerchantAccount, *, method: str, target: str, body: bytes) -> dict[str, str]:
    headers = {
        "Accept": "application/json",
        # Asks for replies under this key while two are valid.
        "Wechatpay-Serial": secret_get(account, "platform_public_key_id"),
        "Authorization": authorization_header(
            merchant_no=account.merchant_no,
            serial=secret_get(account, "merchant_serial"),
            key=merchant_key(account),
            method=method,
            target=target,
            timestamp=int(clock.now().timestamp()),
            nonce=nonce_new(),
            body=body,
        ),
    }
    if body:
        headers["Content-Type"] = "application/json; charset=utf-8"
    return headers
