"""A channel with its own truth, which it tells late, twice, wrongly ordered or not at all."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from billing.channels.base import (
    CaptureOrder,
    ChannelAnswer,
    OrderReference,
    RefundOrder,
)
from core.outcomes import Outcome
from tests.scripted import CLOSED, DECLINED, MISSING, NOT_SENT, PENDING, SILENT, ScriptedChannel

CAPTURES = ("paid", "declined", "open", "silent_paid", "silent_open", "silent_lost", "not_sent")
REFUNDS = ("done", "pending", "silent_done", "silent_lost", "declined")
# 退款异常: the payer's bank sent it back, and the channel holds it.
CAME_BACK = ChannelAnswer(Outcome.PENDING, code="ABNORMAL", executed=True)
ALREADY_PAID = ChannelAnswer(Outcome.UNKNOWN, code="ORDERPAID", executed=True)


@dataclass
class World:
    """What truly happened, by our numbers."""

    orders: dict[str, str] = field(default_factory=dict)
    amounts: dict[str, int] = field(default_factory=dict)
    refunds: dict[str, str] = field(default_factory=dict)
    captures_next: deque[str] = field(default_factory=deque)
    refunds_next: deque[str] = field(default_factory=deque)
    deaf: bool = False

    def kept_fen(self) -> int:
        """Paid orders less refunds that were done."""
        states = {**self.orders, **self.refunds}
        signs = {"paid": 1, "done": -1}
        return sum(signs.get(state, 0) * self.amounts[n] for n, state in states.items())

    def order_answer(self, number: str) -> ChannelAnswer:
        state = self.orders.get(number)
        if state == "paid":
            amount_fen = self.amounts[number]
            return ChannelAnswer(Outcome.SUCCEEDED, channel_no="42", amount_fen=amount_fen)
        return {None: MISSING, "open": replace(PENDING, executed=True)}.get(state, CLOSED)

    def refund_answer(self, number: str) -> ChannelAnswer:
        state = self.refunds.get(number)
        if state == "done":
            return ChannelAnswer(Outcome.SUCCEEDED, amount_fen=self.amounts[number])
        if state == "returned":
            return CAME_BACK
        return {None: MISSING, "pending": replace(PENDING, executed=True)}.get(state, DECLINED)


WORLD = World()


def reset() -> World:
    """A new truth."""
    fresh = World()
    for name, value in vars(fresh).items():
        setattr(WORLD, name, value)
    return WORLD


class LiarChannel(ScriptedChannel):
    """The scripted channel, answering by the world."""

    def capture(self, order: CaptureOrder) -> ChannelAnswer:
        how = WORLD.captures_next.popleft() if WORLD.captures_next else "paid"
        if how == "not_sent":
            return NOT_SENT
        assert order.number not in WORLD.orders, "a number is sent twice"
        truth = how.removeprefix("silent_")
        if truth != "lost":
            WORLD.orders[order.number] = {"declined": "closed"}.get(truth, truth)
            WORLD.amounts[order.number] = order.amount_fen
        if how.startswith("silent"):
            return SILENT
        return DECLINED if how == "declined" else WORLD.order_answer(order.number)

    def query(self, order: OrderReference) -> ChannelAnswer:
        return SILENT if WORLD.deaf else WORLD.order_answer(order.number)

    def close(self, order: OrderReference) -> ChannelAnswer:
        if WORLD.deaf:
            return SILENT
        if WORLD.orders.get(order.number) == "paid":
            return ALREADY_PAID
        if order.number in WORLD.orders:
            WORLD.orders[order.number] = "closed"
        return WORLD.order_answer(order.number)

    def reverse(self, order: OrderReference) -> ChannelAnswer:
        if WORLD.deaf:
            return SILENT
        if order.number in WORLD.orders:
            WORLD.orders[order.number] = "closed"
        return WORLD.order_answer(order.number)

    def refund(self, order: RefundOrder) -> ChannelAnswer:
        if order.number in WORLD.refunds:
            return WORLD.refund_answer(order.number)
        how = WORLD.refunds_next.popleft() if WORLD.refunds_next else "done"
        truth = how.removeprefix("silent_")
        if truth != "lost":
            assert WORLD.orders[order.original.number] == "paid", "nothing was taken to refund"
            WORLD.refunds[order.number] = truth
            WORLD.amounts[order.number] = order.amount_fen
        return SILENT if how.startswith("silent") else WORLD.refund_answer(order.number)

    def refund_query(self, order: RefundOrder) -> ChannelAnswer:
        return SILENT if WORLD.deaf else WORLD.refund_answer(order.number)
