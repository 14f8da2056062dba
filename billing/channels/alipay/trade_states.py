"""What became of a trade: queried, closed, cancelled, and read.

Every answer is compared with what was asked, and a difference is UNKNOWN with code MISMATCH. An
order offered as a code or link does not exist at the channel before the payer opens it, so there
"no such trade" is no end while the code still works.
"""

from __future__ import annotations

from billing.channels import answers
from billing.channels.base import ChannelAnswer, Mode, Operation, OrderReference
from core import clock
from core.outcomes import Outcome

from . import verdicts
from .amounts import AmountRefused, fen_get
from .gateway import GatewayReply, gateway_call
from .texts import moment_read

TOO_LATE_TO_CANCEL = "ACQ.TRADE_CANCEL_TIME_OUT"


def trade_query(order: OrderReference) -> ChannelAnswer:
    """What the channel knows of our number."""
    reply = _ask(order, Operation.QUERY, "alipay.trade.query")
    if isinstance(reply, ChannelAnswer):
        return reply
    if reply.accepted:
        return trade_answer(reply, order)
    if reply.reason in verdicts.NOT_FOUND:
        return _absent(order, reply.reason)
    return verdicts.query_refusal(reply.reason, reply.message)


def trade_close(order: OrderReference) -> ChannelAnswer:
    """Close an unpaid trade; where its state forbids that, the state is asked for."""
    reply = _ask(order, Operation.CLOSE, "alipay.trade.close")
    if isinstance(reply, ChannelAnswer):
        return reply
    if reply.accepted:
        field = _foreign(reply, order)
        return answers.mismatch(field) if field else answers.closed(verdicts.CLOSED_STATE)
    if reply.reason in verdicts.NOT_FOUND:
        return _absent(order, reply.reason, closing=True)
    if reply.reason in verdicts.STATE_FORBIDS:
        return trade_query(order)
    return verdicts.refusal(reply.reason, reply.message, final=frozenset())


def trade_cancel(order: OrderReference) -> ChannelAnswer:
    """End a scanned payment of unknown outcome: unpaid it is closed, paid the money goes back; when
    it is too late for that, how the trade stands is the answer."""
    reply = _ask(order, Operation.REVERSE, "alipay.trade.cancel")
    if isinstance(reply, ChannelAnswer):
        return reply
    if reply.reason == TOO_LATE_TO_CANCEL:
        return trade_query(order)
    if not reply.accepted:
        return verdicts.refusal(reply.reason, reply.message, final=frozenset())
    if reply.text("out_trade_no") not in ("", order.number):
        return answers.mismatch("out_trade_no")
    return _cancelled(reply)


def _cancelled(reply: GatewayReply) -> ChannelAnswer:
    """What a cancel did: its `action` is absent where no trade was found."""
    action = reply.text("action")
    if reply.text("retry_flag") == "Y":
        return answers.unknown("CANCEL_AGAIN", retry_after_s=1)
    if action in ("close", "refund"):
        return answers.closed("CANCELLED")
    if action:
        return answers.unknown("UNREADABLE", "an unheard action of a cancel")
    return answers.not_found("ACQ.TRADE_NOT_EXIST")


def trade_answer(reply: GatewayReply, order: OrderReference) -> ChannelAnswer:
    """Read a trade's fields against what was asked."""
    state = reply.text("trade_status")
    outcome = verdicts.TRADE_STATES.get(state, Outcome.UNKNOWN)
    try:
        amount_fen = fen_get(reply.data, "total_amount")
    except AmountRefused as refused:
        return answers.unknown("UNREADABLE", f"total_amount: {refused}")
    field = _foreign(reply, order)
    moved = outcome is Outcome.SUCCEEDED
    if not field and amount_fen != order.amount_fen and (moved or amount_fen is not None):
        field = "total_amount"
    if field:
        return answers.mismatch(field, amount_fen)
    if moved and not reply.text("trade_no"):
        return answers.unknown("UNREADABLE", "a paid trade without a trade_no")
    return ChannelAnswer(
        outcome,
        code="" if state == "TRADE_SUCCESS" else state or "NO_STATE",
        channel_no=reply.text("trade_no"),
        amount_fen=amount_fen,
        occurred_at=moment_read(reply.text("send_pay_date")),
        executed=True,
        closed=state == verdicts.CLOSED_STATE,
        payer_id=reply.text("buyer_user_id") or reply.text("buyer_open_id"),
    )


def _ask(order: OrderReference, operation: Operation, method: str) -> GatewayReply | ChannelAnswer:
    return gateway_call(
        order.merchant,
        operation=operation,
        reference=order.number,
        method=method,
        content={"out_trade_no": order.number},
    )


def _absent(order: OrderReference, code: str, *, closing: bool = False) -> ChannelAnswer:
    """No such trade: never sent, or offered and not opened, or offered and run out.

    What nobody has opened cannot be closed either. Whoever ends such an offer early gives it up and
    must watch it until its code no longer works.
    """
    if order.mode not in (Mode.NATIVE, Mode.H5) or order.offered_until is None:
        return answers.not_found(code)
    if clock.now() >= order.offered_until + verdicts.OFFER_GRACE:
        return answers.closed(code, executed=False)
    if closing:
        return answers.not_found(code)
    return answers.pending(code)


def _foreign(reply: GatewayReply, order: OrderReference) -> str:
    """The first identity that differs, or an empty text."""
    if reply.text("out_trade_no") != order.number:
        return "out_trade_no"
    known, named = order.channel_no, reply.text("trade_no")
    return "trade_no" if known and named and known != named else ""
