"""Orders of the third protocol generation made: native, h5, jsapi, payment code.

What became of one is read in `v3_order_states`.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from http import HTTPStatus
from urllib.parse import quote

from billing.channels import answers
from billing.channels.base import (
    Action,
    CaptureOrder,
    ChannelAnswer,
    MerchantAccount,
    NoticeKind,
    Operation,
    OrderReference,
)
from billing.channels.strict_json import JsonObject, text_get
from core import clock
from core.outcomes import Outcome
from core.rsa2 import rsa2_sign

from . import verdicts
from .account import merchant_key, notify_url
from .texts import DESCRIPTION_BYTES, text_cut
from .v3_client import V3Reply, v3_call
from .v3_order_states import ORDERS, transaction_answer
from .v3_signing import nonce_new, wallet_text

PREPAY_VALID = timedelta(hours=2)
H5_LINK_VALID = timedelta(minutes=5)
# A wallet's own code, or the insurance code (医保码) that the wallet takes as well (一码付).
PAYMENT_CODE = re.compile(r"1[0-5][0-9]{16}|01[0-9]{26}")


def codepay(order: CaptureOrder) -> ChannelAnswer:
    """Take the amount by the code on the payer's phone. The channel sends no notice for it."""
    if not PAYMENT_CODE.fullmatch(order.auth_code):
        return answers.refused("AUTH_CODE_INVALID", executed=False)
    scene: JsonObject = {"store_info": {"out_id": _store_id(order)}}
    if order.device:
        scene["device_id"] = order.device
    reply = v3_call(
        order.merchant,
        operation=Operation.CAPTURE,
        reference=order.number,
        method="POST",
        target=f"{ORDERS}/codepay",
        data={
            "appid": order.merchant.app_id,
            "mchid": order.merchant.merchant_no,
            "description": text_cut(order.description, DESCRIPTION_BYTES),
            "out_trade_no": order.number,
            "payer": {"auth_code": order.auth_code},
            "amount": {"total": order.amount_fen, "currency": verdicts.CURRENCY},
            "scene_info": scene,
        },
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.capture_refusal(reply.code, reply.message)
    if reply.status == HTTPStatus.ACCEPTED and "trade_state" not in reply.data:
        return answers.pending(reply.code, reply.message)
    return transaction_answer(reply.data, _reference(order))


def native(order: CaptureOrder) -> ChannelAnswer:
    """Create an order whose code the payer scans."""
    reply = _prepay(order, path="native", more={})
    if isinstance(reply, ChannelAnswer):
        return reply
    return _prepay_answer(
        order, kind="qr", value=text_get(reply.data, "code_url"), valid=PREPAY_VALID
    )


def h5(order: CaptureOrder) -> ChannelAnswer:
    """Create an order paid by a link in the phone's browser; the link lives five minutes.

    The channel reads where the payer comes back to from the link itself.
    """
    scene: JsonObject = {
        "payer_client_ip": order.payer_address,
        "h5_info": {"type": "Wap"},
    }
    reply = _prepay(order, path="h5", more={"scene_info": scene})
    if isinstance(reply, ChannelAnswer):
        return reply
    value = text_get(reply.data, "h5_url")
    if value and order.return_url:
        value += f"{'&' if '?' in value else '?'}redirect_url={quote(order.return_url, safe='')}"
    return _prepay_answer(order, kind="url", value=value, valid=H5_LINK_VALID)


def jsapi(order: CaptureOrder) -> ChannelAnswer:
    """Create an order that one payer pays inside WeChat; what its page is asked with is signed."""
    if not order.payer_subject:
        raise ValueError("a jsapi order names its payer")
    reply = _prepay(order, path="jsapi", more={"payer": {"openid": order.payer_subject}})
    if isinstance(reply, ChannelAnswer):
        return reply
    prepay_id = text_get(reply.data, "prepay_id")
    value = wallet_request(order.merchant, prepay_id) if prepay_id else ""
    return _prepay_answer(order, kind="wallet", value=value, valid=PREPAY_VALID)


def wallet_request(account: MerchantAccount, prepay_id: str) -> str:
    """The JSON object for WeixinJSBridge's getBrandWCPayRequest, in the vendor's own names."""
    stamp, nonce = str(int(clock.now().timestamp())), nonce_new()
    package = f"prepay_id={prepay_id}"
    text = wallet_text(app_id=account.app_id, timestamp=stamp, nonce=nonce, package=package)
    return json.dumps(
        {
            "appId": account.app_id,
            "timeStamp": stamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": rsa2_sign(merchant_key(account), text),
        }
    )


def _prepay(order: CaptureOrder, *, path: str, more: JsonObject) -> V3Reply | ChannelAnswer:
    data: JsonObject = {
        "appid": order.merchant.app_id,
        "mchid": order.merchant.merchant_no,
        "description": text_cut(order.description, DESCRIPTION_BYTES),
        "out_trade_no": order.number,
        "time_expire": order.expires_at.astimezone(verdicts.BEIJING).isoformat(timespec="seconds"),
        "notify_url": notify_url(order.merchant, NoticeKind.CAPTURE),
        "amount": {"total": order.amount_fen, "currency": verdicts.CURRENCY},
        **more,
    }
    reply = v3_call(
        order.merchant,
        operation=Operation.CAPTURE,
        reference=order.number,
        method="POST",
        target=f"{ORDERS}/{path}",
        data=data,
    )
    if isinstance(reply, V3Reply) and not reply.accepted:
        return verdicts.capture_refusal(reply.code, reply.message)
    return reply


def _prepay_answer(
    order: CaptureOrder, *, kind: str, value: str, valid: timedelta
) -> ChannelAnswer:
    if not value:
        return answers.unknown("UNREADABLE", "a prepay reply without its link")
    expires_at: datetime = min(order.expires_at, clock.now() + valid)
    return ChannelAnswer(
        Outcome.PENDING, code="NOTPAY", executed=True, action=Action(kind, value, expires_at)
    )


def _reference(order: CaptureOrder) -> OrderReference:
    return OrderReference(order.merchant, order.number, order.mode, order.amount_fen)


def _store_id(order: CaptureOrder) -> str:
    return order.merchant.secrets.get("store_id", "") or order.merchant.merchant_no
