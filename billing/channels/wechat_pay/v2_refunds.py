"""Refunds of deductions: mutual TLS, a minute apart, the number kept on every retry."""

from __future__ import annotations

from billing.channels import answers
from billing.channels.base import ChannelAnswer, NoticeKind, Operation, RefundOrder
from core.outcomes import Outcome

from . import verdicts
from .account import notify_url
from .papay import fen_read
from .texts import REASON_BYTES, text_cut
from .v2_client import V2Reply, v2_call

MAX_REFUNDS = 50  # the channel's limit of partial refunds per order


def refund(order: RefundOrder) -> ChannelAnswer:
    """Ask for a refund; SUCCESS means accepted only."""
    reply = v2_call(
        order.merchant,
        operation=Operation.REFUND,
        reference=order.number,
        path="/secapi/pay/refund",
        fields={
            "out_trade_no": order.original.number,
            "out_refund_no": order.number,
            "total_fee": str(order.original.amount_fen),
            "refund_fee": str(order.amount_fen),
            "refund_fee_type": verdicts.CURRENCY,
            "refund_desc": text_cut(order.reason, REASON_BYTES),
            "notify_url": notify_url(order.merchant, NoticeKind.REFUND),
        },
        mutual_tls=True,
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.refund_refusal(reply.code, reply.message)
    field = _foreign(reply, order, suffix="")
    if field:
        return answers.mismatch(field, fen_read(reply.text("refund_fee")))
    return ChannelAnswer(
        Outcome.PENDING,
        code="PROCESSING",
        channel_no=reply.text("refund_id"),
        amount_fen=fen_read(reply.text("refund_fee")),
        executed=True,
    )


def refund_query(order: RefundOrder) -> ChannelAnswer:
    """How far our refund is; the reply numbers the refunds of an order, ours is found by number."""
    reply = v2_call(
        order.merchant,
        operation=Operation.REFUND_QUERY,
        reference=order.number,
        path="/pay/refundquery",
        fields={"out_refund_no": order.number},
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.query_refusal(reply.code, reply.message)
    suffixes = [f"_{n}" for n in range(MAX_REFUNDS)]
    suffix = next((s for s in suffixes if reply.text(f"out_refund_no{s}") == order.number), None)
    if suffix is None:
        return answers.mismatch("out_refund_no")
    amount_fen = fen_read(reply.text(f"refund_fee{suffix}"))
    field = _foreign(reply, order, suffix=suffix)
    if field:
        return answers.mismatch(field, amount_fen)
    status = reply.text(f"refund_status{suffix}")
    outcome, code = verdicts.REFUND_STATES.get(status, (Outcome.UNKNOWN, status or "NO_STATE"))
    return ChannelAnswer(
        outcome,
        code=code,
        channel_no=reply.text(f"refund_id{suffix}"),
        amount_fen=amount_fen,
        occurred_at=verdicts.time_read(reply.text(f"refund_success_time{suffix}")),
        executed=True,
    )


def _foreign(reply: V2Reply, order: RefundOrder, *, suffix: str) -> str:
    channel_no = reply.text("transaction_id")
    checks = {
        f"out_refund_no{suffix}": reply.text(f"out_refund_no{suffix}") == order.number,
        "out_trade_no": reply.text("out_trade_no") == order.original.number,
        "transaction_id": not (channel_no and order.original.channel_no)
        or channel_no == order.original.channel_no,
        f"refund_fee{suffix}": fen_read(reply.text(f"refund_fee{suffix}")) == order.amount_fen,
        "total_fee": fen_read(reply.text("total_fee")) == order.original.amount_fen,
        "fee_type": reply.text("fee_type") in ("", verdicts.CURRENCY),
    }
    return next((name for name, same in checks.items() if not same), "")
