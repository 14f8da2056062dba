"""Refunds. One out_request_no is paid once however often it is sent; a new one pays twice.

`fund_change` Y says that this very call moved the money. N is no failure: it may have been moved
by an earlier call, so the refund's own query decides.
"""

from __future__ import annotations

from billing.channels import answers
from billing.channels.base import CAME_BACK, MISMATCH, ChannelAnswer, Operation, RefundOrder
from billing.channels.strict_json import object_get, text_get
from core.outcomes import Outcome

from . import verdicts
from .amounts import AmountRefused, fen_get, yuan_text
from .gateway import GatewayReply, gateway_call
from .texts import REASON_LENGTH, moment_read, text_cut

RETRY_REFUND_S = 30


def refund(order: RefundOrder) -> ChannelAnswer:
    """Give a part or all of a trade back."""
    reply = gateway_call(
        order.merchant,
        operation=Operation.REFUND,
        reference=order.number,
        method="alipay.trade.refund",
        content={
            "out_trade_no": order.original.number,
            "out_request_no": order.number,
            "refund_amount": yuan_text(order.amount_fen),
            "refund_reason": text_cut(order.reason, REASON_LENGTH) or "-",
        },
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.refusal(
            reply.reason,
            reply.message,
            final=verdicts.REFUND_REFUSED,
            retry_after_s=RETRY_REFUND_S,
        )
    field = _foreign(reply, order) or _foreign_sum(reply, order)
    if field:
        return answers.mismatch(field)
    if reply.text("fund_change") == "Y":
        return ChannelAnswer(
            Outcome.SUCCEEDED,
            channel_no=reply.text("trade_no"),
            occurred_at=moment_read(reply.text("gmt_refund_pay")),
            executed=True,
        )
    asked = refund_query(order)
    if asked.outcome is Outcome.UNKNOWN and asked.code != MISMATCH:
        return answers.pending("FUND_CHANGE_N", asked.code)
    return asked


def refund_query(order: RefundOrder) -> ChannelAnswer:
    """How far our refund is; a request the channel does not know is answered without its number."""
    reply = gateway_call(
        order.merchant,
        operation=Operation.REFUND_QUERY,
        reference=order.number,
        method="alipay.trade.fastpay.refund.query",
        content={
            "out_trade_no": order.original.number,
            "out_request_no": order.number,
            "query_options": ["gmt_refund_pay", "deposit_back_info"],
        },
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.query_refusal(reply.reason, reply.message)
    if not reply.text("out_request_no") and "refund_amount" not in reply.data:
        return answers.not_found("REFUND_NOT_EXIST")
    return _refund_answer(reply, order)


def _refund_answer(reply: GatewayReply, order: RefundOrder) -> ChannelAnswer:
    try:
        given_fen = fen_get(reply.data, "refund_amount")
        total_fen = fen_get(reply.data, "total_amount")
    except AmountRefused as refused:
        return answers.unknown("UNREADABLE", str(refused))
    checks = {
        "out_request_no": reply.text("out_request_no") == order.number,
        "refund_amount": given_fen == order.amount_fen,
        "total_amount": total_fen in (None, order.original.amount_fen),
    }
    field = _foreign(reply, order) or next((n for n, same in checks.items() if not same), "")
    if field:
        return answers.mismatch(field, given_fen)
    status = reply.text("refund_status")
    outcome, code = verdicts.REFUND_STATES.get(status, (Outcome.UNKNOWN, status or "NO_STATE"))
    deposit_back = object_get(reply.data, "deposit_back_info")
    if text_get(deposit_back, "dback_status") == verdicts.DEPOSIT_BACK_FAILED:
        outcome, code = Outcome.PENDING, CAME_BACK
    return ChannelAnswer(
        outcome,
        code=code,
        channel_no=reply.text("trade_no"),
        amount_fen=given_fen,
        occurred_at=moment_read(reply.text("gmt_refund_pay")),
        executed=True,
    )


def _foreign(reply: GatewayReply, order: RefundOrder) -> str:
    known, named = order.original.channel_no, reply.text("trade_no")
    if known and named and known != named:
        return "trade_no"
    return "" if reply.text("out_trade_no") == order.original.number else "out_trade_no"


def _foreign_sum(reply: GatewayReply, order: RefundOrder) -> str:
    """`refund_fee` is all that ever went back of the trade: at least ours, at most the trade."""
    try:
        sum_fen = fen_get(reply.data, "refund_fee")
    except AmountRefused:
        return "refund_fee"
    if sum_fen is None or order.amount_fen <= sum_fen <= order.original.amount_fen:
        return ""
    return "refund_fee"
