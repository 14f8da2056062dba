"""A payment channel that answers what a test tells it, in process and without delay.

It is for races and for the drive's own logic; what a real channel says is tested over sockets.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from types import MappingProxyType

from billing.channels.base import (
    Capability,
    CaptureOrder,
    ChannelAnswer,
    MerchantAccount,
    Notice,
    NoticeKind,
    NoticeRefused,
    NoticeReply,
    Operation,
    OrderReference,
    RefundOrder,
)
from core.outcomes import Outcome, Unanswered

Answer = ChannelAnswer | Callable[[object], ChannelAnswer]

CALLS: list[tuple[str, str, int]] = []
SCRIPT: dict[str, deque[Answer]] = defaultdict(deque)
REFUSED: dict[str, ChannelAnswer] = {}
_lock = threading.Lock()

PAID = ChannelAnswer(Outcome.SUCCEEDED, channel_no="4200001")
PENDING = ChannelAnswer(Outcome.PENDING, code="ACCEPTED")
SILENT = ChannelAnswer(Outcome.UNKNOWN, code="NO_ANSWER")
NOT_SENT = ChannelAnswer(Outcome.UNKNOWN, code="NOT_SENT", executed=False)
MISSING = ChannelAnswer(Outcome.UNKNOWN, code="ORDERNOTEXIST", executed=False)
DECLINED = ChannelAnswer(Outcome.DECLINED, code="NOTENOUGH")
CLOSED = ChannelAnswer(Outcome.DECLINED, code="CLOSED", closed=True)


def reset() -> None:
    CALLS.clear()
    SCRIPT.clear()
    REFUSED.clear()


def script(operation: Operation, *answers: Answer) -> None:
    """The next answers of a verb; when they run out it succeeds (query: is pending, of
    a refund that was refused: that)."""
    SCRIPT[operation].extend(answers)


def calls(operation: Operation) -> list[str]:
    """The numbers a verb was called with, in order."""
    return [number for verb, number, _fen in CALLS if verb == operation]


def _next(
    operation: Operation, order: object, number: str, fen: int, rest: ChannelAnswer
) -> ChannelAnswer:
    with _lock:
        CALLS.append((operation, number, fen))
        answer = SCRIPT[operation].popleft() if SCRIPT[operation] else rest
    return answer(order) if callable(answer) else answer


class ScriptedChannel:
    code = "wechat_pay"
    capabilities = frozenset(Capability)
    unanswered: Mapping[Operation, Unanswered] = MappingProxyType(
        {Operation.CAPTURE: Unanswered.QUERY_FIRST, Operation.REFUND: Unanswered.RESEND}
    )
    agreement_gone = frozenset({"CONTRACT_NOT_EXIST"})
    refund_gap_s = 0
    auth_code_form = re.compile(r"1[0-5][0-9]{16}")

    def capture(self, order: CaptureOrder) -> ChannelAnswer:
        return _next(Operation.CAPTURE, order, order.number, order.amount_fen, PAID)

    def query(self, order: OrderReference) -> ChannelAnswer:
        return _next(Operation.QUERY, order, order.number, order.amount_fen, PENDING)

    def close(self, order: OrderReference) -> ChannelAnswer:
        return _next(Operation.CLOSE, order, order.number, order.amount_fen, CLOSED)

    def reverse(self, order: OrderReference) -> ChannelAnswer:
        return _next(Operation.REVERSE, order, order.number, order.amount_fen, CLOSED)

    def refund(self, order: RefundOrder) -> ChannelAnswer:
        answer = _next(Operation.REFUND, order, order.number, order.amount_fen, PAID)
        if answer.outcome is Outcome.DECLINED:
            REFUSED[order.number] = answer
        return answer

    def refund_query(self, order: RefundOrder) -> ChannelAnswer:
        rest = REFUSED.get(order.number, PENDING)
        return _next(Operation.REFUND_QUERY, order, order.number, order.amount_fen, rest)

    def parse_notice(
        self, kind: NoticeKind, headers: Mapping[str, str], body: bytes, account: MerchantAccount
    ) -> Notice:
        raise NoticeRefused("a scripted channel sends no notices")

    def notice_reply(self, kind: NoticeKind, *, accepted: bool, message: str) -> NoticeReply:
        return NoticeReply(200 if accepted else 401, b"", "text/plain")
