"""One signed v2 call: sent, verified, read. What cannot be believed is already a ChannelAnswer.

`return_code` speaks of the transport, `result_code` of the business, `trade_state` of the order. A
reply whose return_code is not SUCCESS is unsigned, so it is UNKNOWN: a query says what happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from billing.channels import answers
from billing.channels.base import ChannelAnswer, MerchantAccount, Operation

from . import transport, verdicts
from .account import secret_get
from .v2_signing import V2SignatureRefused, fields_signed, fields_verify
from .v2_xml import XmlRefused, fields_read, fields_write
from .v3_signing import nonce_new


@dataclass(frozen=True, slots=True)
class V2Reply:
    """A verified reply: accepted with its fields, else with the error's code and message."""

    fields: Mapping[str, str]

    @property
    def accepted(self) -> bool:
        return self.fields.get("result_code") == "SUCCESS"

    @property
    def code(self) -> str:
        return self.fields.get("err_code", "") or "RESULT_FAIL"

    @property
    def message(self) -> str:
        return self.fields.get("err_code_des", "")

    def text(self, name: str) -> str:
        return self.fields.get(name, "")


def v2_call(
    account: MerchantAccount,
    *,
    operation: Operation,
    reference: str,
    path: str,
    fields: Mapping[str, str],
    mutual_tls: bool = False,
) -> V2Reply | ChannelAnswer:
    """Send one request; refunds go by mutual TLS to the account's second address."""
    base = secret_get(account, "base_url_tls") if mutual_tls else account.base_url
    identity = {
        "appid": account.app_id,
        "mch_id": account.merchant_no,
        "nonce_str": nonce_new(),
    }
    answer = transport.send(
        operation=operation,
        reference=reference,
        method="POST",
        url=base.rstrip("/") + path,
        headers={"Content-Type": "text/xml; charset=utf-8", "Accept": "text/xml"},
        body=fields_write(fields_signed({**identity, **fields}, account=account)),
        mutual_tls=account if mutual_tls else None,
    )
    if isinstance(answer, ChannelAnswer):
        return answer
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return verdicts.too_often(operation, answer.headers)
    if answer.status != HTTPStatus.OK:
        return answers.unknown(f"HTTP_{answer.status}")
    return reply_believe(account, answer.body)


def reply_believe(account: MerchantAccount, body: bytes) -> V2Reply | ChannelAnswer:
    """Read and verify a reply."""
    try:
        fields = fields_read(body)
        if fields.get("return_code") != "SUCCESS":
            return answers.unknown("RETURN_FAIL", fields.get("return_msg", ""))
        fields_verify(fields, account=account)
    except XmlRefused as refusal:
        return answers.unknown("UNREADABLE", str(refusal))
    except V2SignatureRefused as refusal:
        return answers.unknown("UNVERIFIED", str(refusal))
    expected = {"appid": account.app_id, "mch_id": account.merchant_no}
    for name, value in expected.items():
        if fields.get(name) != value:
            return answers.mismatch(name)
    if fields.get("result_code") not in ("SUCCESS", "FAIL"):
        return answers.unknown("UNREADABLE", "a reply without result_code")
    return V2Reply(fields)
