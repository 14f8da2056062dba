"""The one place where WeChat Pay is called: timeouts, certificates, and what no answer means."""

from __future__ import annotations

from collections.abc import Mapping

from billing.channels import answers
from billing.channels.base import ChannelAnswer, MerchantAccount, Operation
from core import outbound
from core.outbound import ClientCert, OutboundAnswer, OutboundRequest, Timeout

from .account import secret_get

COUNTERPARTY = "wechat_pay"
# A host that does not take the connection in two seconds is down; the patient is waiting. Reading
# gets five: the channel's own deduction takes one to three, and after that a query is quicker than
# more patience. Refunds touch the merchant's funds account, which is slower, and nobody waits.
CONNECT_S = 2.0
READ_S = 5.0
READ_REFUND_S = 10.0
ANSWER_BYTES_MAX = 256 * 1024


def send(
    *,
    operation: Operation,
    reference: str,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    mutual_tls: MerchantAccount | None = None,
) -> OutboundAnswer | ChannelAnswer:
    """The raw answer, or UNKNOWN where none came."""
    answer = outbound.send(
        OutboundRequest(
            counterparty=COUNTERPARTY,
            operation=operation.value,
            reference=reference,
            method=method,
            url=url,
            headers=headers,
            body=body,
            timeout=Timeout(CONNECT_S, READ_REFUND_S if operation is Operation.REFUND else READ_S),
            client_cert=None if mutual_tls is None else _client_cert(mutual_tls),
            answer_length_max=ANSWER_BYTES_MAX,
        )
    )
    return answers.unanswered(operation, answer) or answer


def _client_cert(account: MerchantAccount) -> ClientCert:
    """Our certificate; `ca` names the issuer of a server no public authority vouches for."""
    return ClientCert(
        certificate_pem=secret_get(account, "client_cert"),
        key_pem=secret_get(account, "client_key"),
        ca_pem=account.secrets.get("ca", ""),
    )
