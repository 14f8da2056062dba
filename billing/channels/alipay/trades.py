"""Trades begun: taken by code, by face, by agreement, offered as QR code or link.

What became of one is read in `trade_states`.
"""

from __future__ import annotations

import re
from datetime import timedelta

from billing.channels import answers
from billing.channels.base import (
    MISMATCH,
    Action,
    CaptureOrder,
    ChannelAnswer,
    NoticeKind,
    Operation,
    OrderReference,
)
from billing.channels.strict_json import JsonObject
from core import clock
from core.outcomes import Outcome

from . import verdicts
from .account import notify_url
from .amounts import yuan_text
from .gateway import gateway_call, page_url
from .plans import is_periodic
from .texts import SUBJECT_LENGTH, moment_text, text_cut
from .trade_states import trade_query

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
    if asked.outcome is not Outcome.UNKNOWN or asked.code == MISMATCH:
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
