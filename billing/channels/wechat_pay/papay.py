"""Deductions by agreement (委托代扣, second protocol generation): take, query, close.

An accepted application is not a payment: it is PENDING until query or notice says more. The channel
deducts one number once, yet a second application under it is answered with ORDER_ACCEPTED or
OUT_TRADE_NO_USED, so an unanswered one is queried, not sent again.
"""

from __future__ import annotations

import re

from billing.channels import answers
from billing.channels.base import (
    CaptureOrder,
    ChannelAnswer,
    NoticeKind,
    Operation,
    OrderReference,
)
from core.outcomes import Outcome

from . import verdicts
from .account import notify_url
from .texts import DESCRIPTION_BYTES, text_cut
from .v2_client import V2Reply, v2_call

# The field is demanded and speaks of the caller's machine where no payer's address is known.
OWN_ADDRESS = "127.0.0.1"
_WHOLE = re.compile(r"0|[1-9][0-9]{0,11}")


def fen_read(text: str) -> int | None:
    """A whole number of fen, or none."""
    return int(text) if _WHOLE.fullmatch(text) else None


def deduct(order: CaptureOrder) -> ChannelAnswer:
    """Apply for a deduction under the agreement."""
    reply = v2_call(
        order.merchant,
        operation=Operation.CAPTURE,
        reference=order.number,
        path="/pay/pappayapply",
        fields={
            "body": text_cut(order.description, DESCRIPTION_BYTES),
            "out_trade_no": order.number,
            "total_fee": str(order.amount_fen),
            "fee_type": verdicts.CURRENCY,
            "spbill_create_ip": order.payer_address or OWN_ADDRESS,
            "notify_url": notify_url(order.merchant, NoticeKind.CAPTURE),
            "trade_type": "PAP",
            "contract_id": order.contract_id,
        },
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.capture_refusal(reply.code, reply.message)
    return answers.pending("ACCEPTED", executed=True)


def deduction_query(order: OrderReference) -> ChannelAnswer:
    """What became of a deduction.

    A closed order leaves the deduction query and is only found by the general one, so "not found"
    counts when both say it.
    """
    first = _ask(order, "/pay/paporderquery")
    if first.executed is False or first.code in verdicts.ALREADY_CLOSED:
        return _ask(order, "/pay/orderquery")
    return first


def deduction_close(order: OrderReference) -> ChannelAnswer:
    """Close an order that did not pay, so that a new number is safe."""
    reply = v2_call(
        order.merchant,
        operation=Operation.CLOSE,
        reference=order.number,
        path="/pay/closeorder",
        fields={"out_trade_no": order.number},
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if reply.accepted:
        return answers.closed("CLOSED")
    return verdicts.ending_refusal(reply.code, reply.message)


def deduction_answer(reply: V2Reply, order: OrderReference) -> ChannelAnswer:
    """Read a deduction's fields against what was asked."""
    state = reply.text("trade_state")
    outcome = verdicts.state_outcome(state, order.mode)
    amount_fen = fen_read(reply.text("total_fee"))
    channel_no = reply.text("transaction_id")
    moved = outcome is Outcome.SUCCEEDED
    checks = {
        "out_trade_no": reply.text("out_trade_no") == order.number,
        "total_fee": amount_fen == order.amount_fen or (not moved and not reply.text("total_fee")),
        # Absent means yuan: the field is optional and CNY its default.
        "fee_type": reply.text("fee_type") in ("", verdicts.CURRENCY),
        "transaction_id": not (channel_no and order.channel_no) or channel_no == order.channel_no,
    }
    field = next((name for name, same in checks.items() if not same), "")
    if field:
        return answers.mismatch(field, amount_fen)
    if moved and not channel_no:
        return answers.unknown("UNREADABLE", "a paid order without a transaction_id")
    return ChannelAnswer(
        outcome,
        code="" if state == "SUCCESS" else state or "NO_STATE",
        message=reply.text("trade_state_desc")[:256],
        channel_no=channel_no,
        amount_fen=amount_fen,
        occurred_at=verdicts.time_read(reply.text("time_end")),
        executed=True,
        closed=state in verdicts.CLOSED_STATES,
        payer_id=reply.text("openid"),
    )


def _ask(order: OrderReference, path: str) -> ChannelAnswer:
    reply = v2_call(
        order.merchant,
        operation=Operation.QUERY,
        reference=order.number,
        path=path,
        fields={"out_trade_no": order.number},
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.query_refusal(reply.code, reply.message)
    return deduction_answer(reply, order)
