"""What became of an order of the third protocol generation: queried, closed, reversed, and read.

Every answer is compared with what was asked — our number, merchant, app, amount, currency — and a
difference is UNKNOWN with code MISMATCH, whatever its state says.
"""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import quote

from billing.channels import answers
from billing.channels.base import (
    ChannelAnswer,
    Operation,
    OrderReference,
)
from billing.channels.strict_json import JsonObject, int_get, object_get, text_get
from core.outcomes import Outcome

from . import verdicts
from .v3_client import v3_call

ORDERS = "/v3/pay/transactions"
TOO_LATE_TO_REVERSE = "REVERSE_EXPIRE"


def order_query(order: OrderReference) -> ChannelAnswer:
    """What the channel knows of our number."""
    merchant = order.merchant.merchant_no
    reply = v3_call(
        order.merchant,
        operation=Operation.QUERY,
        reference=order.number,
        method="GET",
        target=f"{ORDERS}/out-trade-no/{quote(order.number, safe='')}?mchid={merchant}",
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.query_refusal(reply.code, reply.message)
    return transaction_answer(reply.data, order)


def order_close(order: OrderReference) -> ChannelAnswer:
    """Close an unpaid order; a paid one is refused and stays paid."""
    reply = v3_call(
        order.merchant,
        operation=Operation.CLOSE,
        reference=order.number,
        method="POST",
        target=f"{ORDERS}/out-trade-no/{quote(order.number, safe='')}/close",
        data={"mchid": order.merchant.merchant_no},
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if reply.status == HTTPStatus.NO_CONTENT:
        return answers.closed("CLOSED")
    if reply.accepted:
        return answers.unknown(f"HTTP_{reply.status}", "a close is answered with 204")
    return verdicts.ending_refusal(reply.code, reply.message)


def order_reverse(order: OrderReference) -> ChannelAnswer:
    """End a payment-code order: unpaid it is closed, paid the money goes back. Safe to repeat; when
    it is too late for that, how the order stands is the answer."""
    account = order.merchant
    reply = v3_call(
        account,
        operation=Operation.REVERSE,
        reference=order.number,
        method="POST",
        target=f"{ORDERS}/out-trade-no/{quote(order.number, safe='')}/reverse",
        data={"appid": account.app_id, "mchid": account.merchant_no},
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if reply.code == TOO_LATE_TO_REVERSE:
        return order_query(order)
    if not reply.accepted:
        return verdicts.ending_refusal(reply.code, reply.message)
    if reply.status != HTTPStatus.OK:
        return answers.unknown(f"HTTP_{reply.status}", "a reverse is answered with 200")
    field = _foreign(reply.data, order)
    return answers.mismatch(field) if field else answers.closed("REVOKED")


def transaction_answer(data: JsonObject, order: OrderReference) -> ChannelAnswer:
    """Read a transaction object against what was asked."""
    state = text_get(data, "trade_state")
    outcome = verdicts.state_outcome(state, order.mode)
    amount = object_get(data, "amount")
    total = int_get(amount, "total")
    channel_no = text_get(data, "transaction_id")
    field = _foreign(data, order) or _foreign_amount(amount, order.amount_fen, outcome)
    if not field and channel_no != order.channel_no and (order.channel_no and channel_no):
        field = "transaction_id"
    if field:
        return answers.mismatch(field, total)
    if outcome is Outcome.SUCCEEDED and not channel_no:
        return answers.unknown("UNREADABLE", "a paid order without a transaction_id")
    return ChannelAnswer(
        outcome,
        code="" if state == "SUCCESS" else state or "NO_STATE",
        message=text_get(data, "trade_state_desc")[:256],
        channel_no=channel_no,
        amount_fen=total,
        occurred_at=verdicts.time_read(text_get(data, "success_time")),
        executed=True,
        closed=state in verdicts.CLOSED_STATES,
        payer_id=text_get(object_get(data, "payer"), "openid"),
    )


def _foreign(data: JsonObject, order: OrderReference) -> str:
    """The first identity that differs, or an empty text."""
    expected = {
        "mchid": order.merchant.merchant_no,
        "appid": order.merchant.app_id,
        "out_trade_no": order.number,
    }
    return next((name for name, value in expected.items() if data.get(name) != value), "")


def _foreign_amount(amount: JsonObject, amount_fen: int, outcome: Outcome) -> str:
    """Money that moved must name amount and currency; before that, either may be absent."""
    moved = outcome is Outcome.SUCCEEDED
    expected = {"total": amount_fen, "currency": verdicts.CURRENCY}
    for name, value in expected.items():
        found = amount.get(name)
        if (moved or found is not None) and (type(found) is not type(value) or found != value):
            return f"amount.{name}"
    return ""
