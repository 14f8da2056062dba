"""Refunds of the third protocol generation. A retry keeps its number; a new one pays twice."""

from __future__ import annotations

from urllib.parse import quote

from billing.channels import answers
from billing.channels.base import ChannelAnswer, NoticeKind, Operation, RefundOrder
from billing.channels.strict_json import JsonObject, int_get, object_get, text_get
from core.outcomes import Outcome

from . import verdicts
from .account import notify_url
from .texts import REASON_BYTES, text_cut
from .v3_client import v3_call

REFUNDS = "/v3/refund/domestic/refunds"


def refund(order: RefundOrder) -> ChannelAnswer:
    """Ask for a refund; 200 means accepted, its status says how far it is."""
    data: JsonObject = {
        "out_trade_no": order.original.number,
        "out_refund_no": order.number,
        "notify_url": notify_url(order.merchant, NoticeKind.REFUND),
        "amount": {
            "refund": order.amount_fen,
            "total": order.original.amount_fen,
            "currency": verdicts.CURRENCY,
        },
    }
    reason = text_cut(order.reason, REASON_BYTES)
    if reason:
        data["reason"] = reason
    reply = v3_call(
        order.merchant,
        operation=Operation.REFUND,
        reference=order.number,
        method="POST",
        target=REFUNDS,
        data=data,
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.refund_refusal(reply.code, reply.message)
    return _refund_answer(reply.data, order)


def refund_query(order: RefundOrder) -> ChannelAnswer:
    """How far our refund is."""
    reply = v3_call(
        order.merchant,
        operation=Operation.REFUND_QUERY,
        reference=order.number,
        method="GET",
        target=f"{REFUNDS}/{quote(order.number, safe='')}",
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.query_refusal(reply.code, reply.message)
    return _refund_answer(reply.data, order)


def _refund_answer(data: JsonObject, order: RefundOrder) -> ChannelAnswer:
    amount = object_get(data, "amount")
    given = int_get(amount, "refund")
    channel_no = text_get(data, "transaction_id")
    checks = {
        "out_refund_no": data.get("out_refund_no") == order.number,
        "out_trade_no": data.get("out_trade_no") == order.original.number,
        "transaction_id": channel_no in ("", order.original.channel_no)
        or not order.original.channel_no,
        "amount.refund": given == order.amount_fen,
        "amount.total": int_get(amount, "total") == order.original.amount_fen,
        "amount.currency": amount.get("currency") == verdicts.CURRENCY,
    }
    field = next((name for name, same in checks.items() if not same), "")
    if field:
        return answers.mismatch(field, given)
    status = text_get(data, "status")
    outcome, code = verdicts.REFUND_STATES.get(status, (Outcome.UNKNOWN, status or "NO_STATE"))
    return ChannelAnswer(
        outcome,
        code=code,
        channel_no=text_get(data, "refund_id"),
        amount_fen=given,
        occurred_at=verdicts.time_read(text_get(data, "success_time")),
        executed=True,
    )
