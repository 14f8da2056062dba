"""The orders the outcome tests ask about, and the genuine answers to them."""

from __future__ import annotations

from datetime import timedelta

from billing.channels.base import (
    AgreementReference,
    CaptureOrder,
    ChannelAnswer,
    Mode,
    OrderReference,
    RefundOrder,
)
from billing.channels.wechat_pay import WechatPay
from core import clock
from tests.billing.channels import wechat_vendor as wx

REFUND_FEN = 1250


def capture_order(url: str, mode: Mode, **changes: object) -> CaptureOrder:
    now = clock.now()
    fields: dict[str, object] = {
        "merchant": wx.account(url),
        "number": wx.NUMBER,
        "amount_fen": wx.AMOUNT,
        "description": "市第一医院 账单 0001",
        "mode": mode,
        "created_at": now,
        "expires_at": now + timedelta(minutes=30),
        "contract_id": wx.CONTRACT_ID if mode is Mode.AGREEMENT else "",
        "auth_code": "130012345678901234" if mode is Mode.SCAN else "",
        "payer_address": "203.0.113.9",
        **changes,
    }
    return CaptureOrder(**fields)  # type: ignore[arg-type]


def reference(url: str, mode: Mode, channel_no: str = "") -> OrderReference:
    return OrderReference(wx.account(url), wx.NUMBER, mode, wx.AMOUNT, channel_no)


def refund_order(url: str, mode: Mode) -> RefundOrder:
    original = reference(url, mode, wx.CHANNEL_NO)
    return RefundOrder(wx.account(url), wx.REFUND_NUMBER, REFUND_FEN, original, "退一项检查")


def call(verb: str, mode: Mode, url: str) -> ChannelAnswer:
    """One verb against the vendor at `url`."""
    channel = WechatPay()
    if verb == "capture":
        return channel.capture(capture_order(url, mode))
    if verb in ("refund", "refund_query"):
        order = refund_order(url, mode)
        return channel.refund(order) if verb == "refund" else channel.refund_query(order)
    if verb in ("agreement_query", "unsign"):
        mandate = AgreementReference(wx.account(url), wx.CONTRACT_CODE, wx.PLAN_ID, wx.CONTRACT_ID)
        if verb == "unsign":
            return channel.unsign(mandate, reason="患者要求")
        return channel.agreement_query(mandate)
    method = {"query": channel.query, "close": channel.close, "reverse": channel.reverse}[verb]
    return method(reference(url, mode))


def transaction(state: str = "SUCCESS", **changes: object) -> dict[str, object]:
    return {
        "appid": wx.APPID,
        "mchid": wx.MCHID,
        "out_trade_no": wx.NUMBER,
        "transaction_id": wx.CHANNEL_NO,
        "trade_state": state,
        "success_time": "2026-11-20T09:59:58+08:00",
        "payer": {"openid": wx.OPENID},
        "amount": {"total": wx.AMOUNT, "currency": "CNY"},
        **changes,
    }


def refund_object(status: str, **changes: object) -> dict[str, object]:
    return {
        "refund_id": "50000000382019052709732678859",
        "out_refund_no": wx.REFUND_NUMBER,
        "transaction_id": wx.CHANNEL_NO,
        "out_trade_no": wx.NUMBER,
        "status": status,
        "success_time": "2026-11-20T09:59:59+08:00",
        "amount": {"refund": REFUND_FEN, "total": wx.AMOUNT, "currency": "CNY"},
        **changes,
    }


def deduction(state: str = "SUCCESS", **changes: str) -> bytes:
    fields = {
        "out_trade_no": wx.NUMBER,
        "transaction_id": wx.CHANNEL_NO,
        "trade_state": state,
        "total_fee": str(wx.AMOUNT),
        "fee_type": "CNY",
        "time_end": "20261120095958",
        "openid": wx.OPENID,
    }
    return wx.v2_answer(**{**fields, **changes})


def v2_refund_state(status: str, **changes: str) -> bytes:
    """Our refund is the second of the order, so that finding it by number matters."""
    fields = {
        "out_trade_no": wx.NUMBER,
        "transaction_id": wx.CHANNEL_NO,
        "total_fee": str(wx.AMOUNT),
        "out_refund_no_0": "RFOTHER",
        "refund_fee_0": "1",
        "refund_status_0": "SUCCESS",
        "out_refund_no_1": wx.REFUND_NUMBER,
        "refund_id_1": "50000000382019052709732678859",
        "refund_fee_1": str(REFUND_FEN),
        "refund_status_1": status,
        "refund_success_time_1": "2026-11-20 09:59:59",
    }
    return wx.v2_answer(**{**fields, **changes})


def v2_refund_accepted(**changes: str) -> bytes:
    fields = {
        "out_trade_no": wx.NUMBER,
        "transaction_id": wx.CHANNEL_NO,
        "out_refund_no": wx.REFUND_NUMBER,
        "refund_id": "50000000382019052709732678859",
        "refund_fee": str(REFUND_FEN),
        "total_fee": str(wx.AMOUNT),
    }
    return wx.v2_answer(**{**fields, **changes})


def contract(state: str = "0", **changes: str) -> bytes:
    fields = {
        "contract_id": wx.CONTRACT_ID,
        "contract_code": wx.CONTRACT_CODE,
        "plan_id": wx.PLAN_ID,
        "openid": wx.OPENID,
        "contract_state": state,
        "contract_signed_time": "2026-11-01 09:00:00",
    }
    return wx.v2_answer(**{**fields, **changes})
