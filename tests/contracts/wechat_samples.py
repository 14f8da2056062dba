"""Genuine notices of every kind, and what they are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping

from billing.channels.base import Notice, NoticeKind
from billing.channels.wechat_pay import WechatPay
from tests.billing.channels import wechat_vendor as wx

CAPTURE, REFUND, AGREEMENT = NoticeKind.CAPTURE, NoticeKind.REFUND, NoticeKind.AGREEMENT


def paid(**changes: object) -> dict[str, object]:
    return {
        "mchid": wx.MCHID,
        "appid": wx.APPID,
        "out_trade_no": wx.NUMBER,
        "transaction_id": wx.CHANNEL_NO,
        "trade_state": "SUCCESS",
        "success_time": "2026-11-20T09:59:58+08:00",
        "payer": {"openid": wx.OPENID},
        "amount": {"total": wx.AMOUNT, "payer_total": wx.AMOUNT, "currency": "CNY"},
        **changes,
    }


def refunded(**changes: object) -> dict[str, object]:
    return {
        "mchid": wx.MCHID,
        "out_trade_no": wx.NUMBER,
        "transaction_id": wx.CHANNEL_NO,
        "out_refund_no": wx.REFUND_NUMBER,
        "refund_id": "50000000382019052709732678859",
        "refund_status": "SUCCESS",
        "success_time": "2026-11-20T09:59:58+08:00",
        "amount": {"total": wx.AMOUNT, "refund": 1250, "payer_total": wx.AMOUNT},
        **changes,
    }


def envelope(resource: object, **changes: object) -> bytes:
    whole = {
        "id": "EV-2026112000001",
        "create_time": "2026-11-20T09:59:59+08:00",
        "event_type": "TRANSACTION.SUCCESS",
        "resource_type": "encrypt-resource",
        "summary": "支付成功",
        "resource": resource,
        **changes,
    }
    return json.dumps(whole, ensure_ascii=False).encode()


PAID = envelope(wx.sealed_resource(paid()))
REFUNDED = envelope(wx.sealed_resource(refunded(), aad="refund"), event_type="REFUND.SUCCESS")
DEDUCTED = {
    "openid": wx.OPENID,
    "trade_state": "SUCCESS",
    "total_fee": str(wx.AMOUNT),
    "fee_type": "CNY",
    "transaction_id": wx.CHANNEL_NO,
    "out_trade_no": wx.NUMBER,
    "time_end": "20261120095958",
    "contract_id": wx.CONTRACT_ID,
}
SIGNED = {
    "appid": "-",
    "nonce_str": "-",
    "contract_code": wx.CONTRACT_CODE,
    "contract_id": wx.CONTRACT_ID,
    "plan_id": wx.PLAN_ID,
    "openid": wx.OPENID,
    "change_type": "ADD",
    "operate_time": "2026-11-20 09:59:58",
}
RETURNED = {
    "out_refund_no": wx.REFUND_NUMBER,
    "out_trade_no": wx.NUMBER,
    "refund_id": "50000000382019052709732678859",
    "refund_fee": "1250",
    "total_fee": str(wx.AMOUNT),
    "refund_status": "SUCCESS",
    "success_time": "2026-11-20 09:59:58",
}


def v2_refund(req_info: str, **changes: str) -> bytes:
    return wx.v2_xml(
        {
            "return_code": "SUCCESS",
            "appid": wx.APPID,
            "mch_id": wx.MCHID,
            "nonce_str": "N1",
            "req_info": req_info,
            **changes,
        }
    )


def read(kind: NoticeKind, headers: Mapping[str, str], body: bytes) -> Notice:
    return WechatPay().parse_notice(kind, headers, body, wx.account())


GOOD_V2, GOOD_SIGN = wx.v2_body(**DEDUCTED), wx.v2_body(**SIGNED)
HMAC_V2 = wx.v2_body("HMAC-SHA256", **DEDUCTED)
