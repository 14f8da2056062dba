"""The one place where Alipay is called: timeouts, and what no answer means."""

from __future__ import annotations

from billing.channels import answers
from billing.channels.base import ChannelAnswer, Operation
from core import outbound
from core.outbound import OutboundAnswer, OutboundRequest, Timeout

COUNTERPARTY = "alipay"
# A host that does not take the connection in two seconds is down; the patient is waiting. A payment
# is answered within five, else a query is quicker than more patience. Money that leaves the
# merchant's account takes longer, and nobody waits for it.
CONNECT_S = 2.0
READ_S = 5.0
READ_OUTGOING_S = 10.0
ANSWER_BYTES_MAX = 256 * 1024
_OUTGOING = frozenset({Operation.REFUND, Operation.TRANSFER})


def send(
    *, operation: Operation, reference: str, url: str, body: bytes
) -> OutboundAnswer | ChannelAnswer:
    """The raw answer, or UNKNOWN where none came."""
    answer = outbound.send(
        OutboundRequest(
            counterparty=COUNTERPARTY,
            operation=operation.value,
            reference=reference,
            method="POST",
            url=url,
            headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
            body=body,
            timeout=Timeout(CONNECT_S, READ_OUTGOING_S if operation in _OUTGOING else READ_S),
            answer_length_max=ANSWER_BYTES_MAX,
        )
    )
    return answers.unanswered(operation, answer) or answer
