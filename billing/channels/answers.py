"""The answers an adapter makes itself, one maker each: what no answer means, what is not believed,
what is not known, what is closed.

Which word of a channel is which of them stands in the adapter's own tables. An answer with facts
in it (number, amount, time) is built where those are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from billing.channels.base import MISMATCH, ChannelAnswer, Operation
from core import clock
from core.outbound import Failure, OutboundAnswer
from core.outcomes import Outcome

RETRY_AFTER_MAX_S = 3600
CODE_LENGTH = 64
MESSAGE_LENGTH = 256

# Sends whose number is new to the channel: only there does "it never left" say something about the
# order. A query that never left says nothing about what an earlier send did.
_FIRST_SENDS = frozenset({Operation.CAPTURE, Operation.REFUND, Operation.TRANSFER})


def unanswered(operation: Operation, answer: OutboundAnswer) -> ChannelAnswer | None:
    """UNKNOWN where no answer came, saying so when the call surely never left; else none."""
    if answer.failure is Failure.NOT_SENT:
        return unknown("NOT_SENT", executed=False if operation in _FIRST_SENDS else None)
    if answer.failure is not None or answer.status is None:
        return unknown("NO_ANSWER")
    return None


def unknown(
    code: str,
    message: str = "",
    *,
    executed: bool | None = None,
    retry_after_s: int | None = None,
) -> ChannelAnswer:
    """Nothing is known of the money; perhaps when the same call may be made again."""
    return ChannelAnswer(
        Outcome.UNKNOWN,
        code=code[:CODE_LENGTH],
        message=message[:MESSAGE_LENGTH],
        executed=executed,
        retry_at=None if retry_after_s is None else clock.now() + timedelta(seconds=retry_after_s),
    )


def not_found(code: str, message: str = "") -> ChannelAnswer:
    """The channel knows no such number. UNKNOWN, because only the caller knows what was sent."""
    return unknown(code, message, executed=False)


def mismatch(field: str, amount_fen: int | None = None) -> ChannelAnswer:
    """The answer is about something else than was asked: believed in nothing."""
    return ChannelAnswer(
        Outcome.UNKNOWN,
        code=MISMATCH,
        message=f"{field} differs from what was asked",
        amount_fen=amount_fen,
    )


def pending(code: str, message: str = "", *, executed: bool | None = None) -> ChannelAnswer:
    """It is under way; notice or query ends it."""
    return ChannelAnswer(
        Outcome.PENDING,
        code=code[:CODE_LENGTH],
        message=message[:MESSAGE_LENGTH],
        executed=executed,
    )


def refused(code: str, message: str = "", *, executed: bool | None = None) -> ChannelAnswer:
    """A final refusal: out of an adapter's table, or before anything was sent."""
    return ChannelAnswer(
        Outcome.DECLINED,
        code=code[:CODE_LENGTH],
        message=message[:MESSAGE_LENGTH],
        executed=executed,
    )


def closed(code: str, *, executed: bool = True) -> ChannelAnswer:
    """Closed or reversed for good: nothing was or stays taken, now and later."""
    return ChannelAnswer(Outcome.DECLINED, code=code, executed=executed, closed=True)


def pause_s(headers: Mapping[str, str], *, otherwise_s: int) -> int:
    """For how long "too often" (429) lasts: the pause it names, within reason, else ours."""
    named = next((v for k, v in headers.items() if k.lower() == "retry-after"), "")
    if named.isascii() and named.isdigit():
        return max(1, min(int(named), RETRY_AFTER_MAX_S))
    return otherwise_s
