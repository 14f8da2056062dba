"""One signed call of the gateway: sent, verified, read; or a signed link for a person to open.

A definite answer needs a valid signature, refusals included: the gateway leaves some failures
unsigned (`error_response`), and whoever stands in between could make those up.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from billing.channels import answers
from billing.channels.base import ChannelAnswer, MerchantAccount, Operation
from billing.channels.strict_json import JsonObject, JsonRefused, object_write, text_get
from core import clock
from core.rsa2 import SIGN_TYPE, SignatureRefused, request_text, rsa2_sign, rsa2_verify

from . import transport, verdicts
from .account import alipay_cert_sn, alipay_keys, app_key, certificate_numbers
from .envelope import envelope_read
from .texts import moment_text

CHARSET = "utf-8"


@dataclass(frozen=True, slots=True)
class GatewayReply:
    """A verified reply. `reason` is the machine-readable code of a refusal."""

    data: JsonObject

    @property
    def code(self) -> str:
        return text_get(self.data, "code")

    @property
    def accepted(self) -> bool:
        return self.code == verdicts.ACCEPTED

    @property
    def reason(self) -> str:
        if self.code == verdicts.CALL_LIMITED:
            return self.code
        return text_get(self.data, "sub_code") or self.code or "NO_CODE"

    @property
    def message(self) -> str:
        return text_get(self.data, "sub_msg") or text_get(self.data, "msg")

    def text(self, name: str) -> str:
        return text_get(self.data, name)


def gateway_call(
    account: MerchantAccount,
    *,
    operation: Operation,
    reference: str,
    method: str,
    content: JsonObject,
    notify_url: str = "",
) -> GatewayReply | ChannelAnswer:
    """Send one request and believe its reply, or say why nothing is known."""
    fields = signed_fields(account, method=method, content=content, notify_url=notify_url)
    answer = transport.send(
        operation=operation,
        reference=reference,
        url=f"{_gateway(account)}?charset={CHARSET}",
        body=urlencode(fields).encode(),
    )
    if isinstance(answer, ChannelAnswer):
        return answer
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return verdicts.too_often(answer.headers)
    if answer.status != HTTPStatus.OK:
        return answers.unknown(f"HTTP_{answer.status}")
    return reply_believe(account, answer.body, method=method)


def reply_believe(
    account: MerchantAccount, body: bytes, *, method: str
) -> GatewayReply | ChannelAnswer:
    """Read and verify a reply."""
    try:
        envelope = envelope_read(body, method=method)
        if envelope.cert_sn and envelope.cert_sn != alipay_cert_sn(account):
            raise SignatureRefused("signed under another certificate")
        if not envelope.sign:
            raise SignatureRefused("not signed")
        rsa2_verify(alipay_keys(account), envelope.signed, envelope.sign)
    except JsonRefused as refusal:
        return answers.unknown("UNREADABLE", str(refusal))
    except SignatureRefused as refusal:
        return answers.unknown("UNVERIFIED", str(refusal))
    return GatewayReply(envelope.data)


def page_url(
    account: MerchantAccount,
    *,
    method: str,
    content: JsonObject,
    notify_url: str,
    return_url: str = "",
) -> str:
    """A signed link that the payer's browser or wallet opens."""
    fields = signed_fields(
        account, method=method, content=content, notify_url=notify_url, return_url=return_url
    )
    return f"{_gateway(account)}?{urlencode(fields)}"


def signed_fields(
    account: MerchantAccount,
    *,
    method: str,
    content: JsonObject,
    notify_url: str = "",
    return_url: str = "",
) -> dict[str, str]:
    """The parameters of one request with their sign."""
    fields = {
        "app_id": account.app_id,
        "method": method,
        "format": "JSON",
        "charset": CHARSET,
        "sign_type": SIGN_TYPE,
        "timestamp": moment_text(clock.now()),
        "version": "1.0",
        "notify_url": notify_url,
        "return_url": return_url,
        **certificate_numbers(account),
        "biz_content": object_write(content).decode(),
    }
    fields = {name: value for name, value in fields.items() if value}
    return {**fields, "sign": rsa2_sign(app_key(account), request_text(fields))}


def _gateway(account: MerchantAccount) -> str:
    return f"{account.base_url.rstrip('/')}/gateway.do"
