"""What a page asks the phone's WeChat with (getBrandWCPayRequest): verified, or refused."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.wechat_pay import crypto
from sandbox.wechat_pay.models import Order
from sandbox.wechat_pay.refusal import Refused
from sandbox.wechat_pay.v3_wire import public_key

FIELDS = ("appId", "timeStamp", "nonceStr", "package", "signType", "paySign")
PREPAY = "prepay_id=wx"


def order_asked(request: Mapping[str, str]) -> Order:
    """The jsapi order that its merchant's signature names; nothing else opens a payment."""
    missing = [name for name in FIELDS if not request.get(name)]
    if missing:
        raise Refused(400, "PARAM_ERROR", f"调用支付JSAPI缺少参数：{missing[0]}")
    token = request["package"].removeprefix(PREPAY)
    order = Order.objects.select_related("merchant").filter(token=token, product="jsapi").first()
    if order is None or not request["package"].startswith(PREPAY):
        raise Refused(400, "PARAM_ERROR", "调用支付JSAPI的prepay_id无效")
    text = crypto.lines(*(request[name] for name in FIELDS[:4]))
    signed = (
        request["appId"] == order.appid
        and request["signType"] == "RSA"
        and request["timeStamp"].isascii()
        and request["timeStamp"].isdecimal()
        and crypto.rsa_verify(public_key(order.merchant.client_cert), text, request["paySign"])
    )
    if not signed:
        raise Refused(400, "SIGN_ERROR", "支付验证签名失败")
    return order
