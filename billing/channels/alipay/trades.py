"""Trades: taken by code, by face, by agreement, offered as QR code or link; queried and ended.

Every answer is compared with what was asked, and a difference is UNKNOWN with code MISMATCH. An
order offered as a code or link does not exist at the channel before the payer opens it, so there
"no such trade" is no end while the code still works.
"""

from __future__ import annotations

import re
from datetime import timedelta

from billing.channels import answers
from billing.channels.base import (
    Action,
    CaptureOrder,
    ChannelAnswer,
    Mode,
    NoticeKind,
    Operation,
    OrderReference,
)
from billing.channels.strict_json import JsonObject
from core import clock
from core.outcomes import Outcome

from . import verdicts
from .account import notify_url
from .amounts import AmountRefused, fen_get, yuan_text
from .gateway import GatewayReply, gateway_call, page_url
from .plans import is_periodic
from .texts import SUBJECT_LENGTH, moment_read, moment_text, text_cut

QR_VALID = timedelta(hours=2)
_PAYMENT_CODE = re.compile(r"(?:2[5-9]|30)[0-9]{14,22}")
_FACE_CODE = re.compile(r"fp[0-9A-Za-z]{33}")


def scan(order: CaptureOrder) -> ChannelAnswer:
    """Take the amount by the code on the payer's phone, or by the face a terminal read."""
    if _PAYMENT_CODE.fullmatch(order.auth_code):
        scene = "bar_code"
    elif _FACE_CODE.fullmatch(order.auth_code):
        scene = "security_code"
    else:
        code = "ACQ.PAYMENT_AUTH_CODE_INVALID"
        return answers.refused(code, executed=False)
    more: JsonObject = {
        "scene": scene,
        "auth_code": order.auth_code,
        "product_code": "FACE_TO_FACE_PAYMENT",
    }
    if order.device:
        more["terminal_id"] = order.device[:32]
    return _pay(order, more)


def deduct(order: CaptureOrder) -> ChannelAnswer:
    """Take the amount under the payer's agreement."""
    return _pay(
        order,
        {
            "product_code": "CYCLE_PAY_AUTH"
            if is_periodic(order.plan_id)
            else "GENERAL_WITHHOLDING",
            "agreement_params": {"agreement_no": order.contract_id},
        },
    )


def precreate(order: CaptureOrder) -> ChannelAnswer:
    """Make a QR code the payer scans; the trade begins when it is scanned."""
    minutes = _minutes(order)
    reply = gateway_call(
        order.merchant,
        operation=Operation.CAPTURE,
        reference=order.number,
        method="alipay.trade.precreate",
        content={**_content(order), "timeout_express": minutes, "qr_code_timeout_express": minutes},
        notify_url=notify_url(order.merchant, NoticeKind.CAPTURE),
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.refusal(reply.reason, reply.message, final=verdicts.CAPTURE_REFUSED)
    if reply.text("out_trade_no") != order.number:
        return answers.mismatch("out_trade_no")
    if not reply.text("qr_code"):
        return answers.unknown("UNREADABLE", "a precreate reply without its qr_code")
    expires_at = min(order.expires_at, clock.now() + QR_VALID)
    return ChannelAnswer(
        Outcome.PENDING,
        code="OFFERED",
        executed=True,
        action=Action("qr", reply.text("qr_code"), expires_at),
    )


def wap(order: CaptureOrder) -> ChannelAnswer:
    """Build the link the payer's browser opens; nothing is sent, and it ends by its own time."""
    value = page_url(
        order.merchant,
        method="alipay.trade.wap.pay",
        content={
            **_content(order),
            "product_code": "QUICK_WAP_WAY",
            "time_expire": moment_text(order.expires_at),
        },
        notify_url=notify_url(order.merchant, NoticeKind.CAPTURE),
        return_url=order.return_url,
    )
    return ChannelAnswer(
        Outcome.PENDING, code="OFFERED", action=Action("url", value, order.expires_at)
    )


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
    """End a scanned payment of unknown outcome: unpaid it is closed, paid the money goes back."""
    reply = _ask(order, Operation.REVERSE, "alipay.trade.cancel")
    if isinstance(reply, ChannelAnswer):
        return reply
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


def _pay(order: CaptureOrder, more: JsonObject) -> ChannelAnswer:
    """Send alipay.trade.pay. "Taken" may still be rolled back, so the query decides."""
    reply = gateway_call(
        order.merchant,
        operation=Operation.CAPTURE,
        reference=order.number,
        method="alipay.trade.pay",
        content={**_content(order), **more, "timeout_express": _minutes(order)},
        notify_url=notify_url(order.merchant, NoticeKind.CAPTURE),
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if reply.code == verdicts.WAITING:
        return answers.pending(verdicts.WAITING, reply.message, executed=True)
    if not reply.accepted:
        return verdicts.refusal(reply.reason, reply.message, final=verdicts.CAPTURE_REFUSED)
    asked = trade_query(OrderReference(order.merchant, order.number, order.mode, order.amount_fen))
    if asked.outcome is not Outcome.UNKNOWN or asked.code == "MISMATCH":
        return asked
    return answers.pending("TAKEN", asked.code, executed=True)


def _content(order: CaptureOrder) -> JsonObject:
    content: JsonObject = {
        "out_trade_no": order.number,
        "total_amount": yuan_text(order.amount_fen),
        "subject": text_cut(order.description, SUBJECT_LENGTH),
        "seller_id": order.merchant.merchant_no,
    }
    store = order.merchant.secrets.get("store_id", "")
    if store:
        content["store_id"] = store
    return content


def _minutes(order: CaptureOrder) -> str:
    """How long the payer may take; the channel counts in minutes, at least one."""
    left_s = int((order.expires_at - clock.now()).total_seconds())
    return f"{max(1, left_s // 60)}m"


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
