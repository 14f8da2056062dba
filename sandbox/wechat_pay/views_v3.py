"""The v3 endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from sandbox.wechat_pay import orders, refunds, v3_fields
from sandbox.wechat_pay.models import Merchant, Order, Refund
from sandbox.wechat_pay.numbers import rfc3339
from sandbox.wechat_pay.refusal import Refused
from sandbox.wechat_pay.shown import order_json
from sandbox.wechat_pay.v3_wire import Answer, v3_call
from sandbox.world.faults import Fault
from sandbox.world.registry import SIGNED

Data = dict[str, Any]


def prepay(product: str) -> Callable[..., HttpResponse]:
    """The creation of an order that a person pays later; nothing can be declined yet."""

    @v3_call("capture", "POST", able=SIGNED)
    @transaction.atomic
    def view(merchant: Merchant, data: Data, _fault: Fault | None, _request: HttpRequest) -> Answer:
        order, _ = orders.order_create(merchant, v3_fields.order_wanted(merchant, product, data))
        if product == "native":
            return 200, {"code_url": f"weixin://wxpay/bizpayurl?pr={order.token}"}
        if product == "h5":
            # With a query, as the vendor's: merchants append `&redirect_url=` to it.
            page = f"{settings.SANDBOX_URL}/phone/wechat/pay/{order.token}"
            return 200, {"h5_url": f"{page}?prepay_id=wx{order.token}&package=1"}
        return 200, {"prepay_id": f"wx{order.token}"}

    return view


@v3_call("capture", "POST")
def codepay(merchant: Merchant, data: Data, fault: Fault | None, _request: HttpRequest) -> Answer:
    wanted = v3_fields.order_wanted(merchant, "codepay", data)
    auth_code = v3_fields.text(v3_fields.part(data, "payer"), "auth_code", 128)
    order = orders.order_scan(merchant, wanted, auth_code, fault)
    if order.state == Order.State.PAYERROR:
        raise Refused(403, order.error, order.error_text)
    return 202 if order.state == Order.State.USERPAYING else 200, order_json(order)


@v3_call("query", "GET")
def query(
    merchant: Merchant,
    _data: Data,
    _fault: Fault | None,
    request: HttpRequest,
    out_trade_no: str = "",
    transaction_id: str = "",
) -> Answer:
    if request.GET.get("mchid") != merchant.mchid:
        raise Refused(400, "PARAM_ERROR", "商户号与签名的商户号不一致")
    with transaction.atomic():
        order = orders.order_lock(
            merchant, out_trade_no=out_trade_no, transaction_id=transaction_id
        )
    return 200, order_json(order)


@v3_call("close", "POST")
def close(
    merchant: Merchant, data: Data, fault: Fault | None, _request: HttpRequest, out_trade_no: str
) -> Answer:
    if data.get("mchid") != merchant.mchid:
        raise Refused(400, "PARAM_ERROR", "商户号与签名的商户号不一致")
    orders.order_close(merchant, out_trade_no, fault)
    return 204, None


@v3_call("reverse", "POST")
def reverse(
    merchant: Merchant, data: Data, _fault: Fault | None, _request: HttpRequest, out_trade_no: str
) -> Answer:
    v3_fields.own(merchant, data)
    orders.order_reverse(merchant, out_trade_no)
    return 200, {
        "appid": merchant.appid,
        "mchid": merchant.mchid,
        "out_trade_no": out_trade_no,
    }


@v3_call("refund", "POST")
def refund(merchant: Merchant, data: Data, fault: Fault | None, _request: HttpRequest) -> Answer:
    row, status = refunds.refund_apply(merchant, v3_fields.refund_wanted(data), fault)
    return 200, refund_json(row, status)


@v3_call("refund_query", "GET")
def refund_query(
    merchant: Merchant, _data: Data, _fault: Fault | None, _request: HttpRequest, out_refund_no: str
) -> Answer:
    row = refunds.refund_find(merchant, out_refund_no)
    if row is None:
        raise Refused(404, "RESOURCE_NOT_EXISTS", "退款单不存在")
    return 200, refund_json(row, row.status)


@v3_call("query", "GET")
def certificates(
    _merchant: Merchant, _data: Data, _fault: Fault | None, _request: HttpRequest
) -> Answer:
    """Merchants of the public key mode have no platform certificate."""
    raise Refused(404, "RESOURCE_NOT_EXISTS", "无可用的平台证书，请在商户平台使用公钥")


def refund_json(refund: Refund, status: str) -> Data:
    order = refund.order
    out: Data = {
        "refund_id": refund.refund_id,
        "out_refund_no": refund.out_refund_no,
        "transaction_id": order.transaction_id,
        "out_trade_no": order.out_trade_no,
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": rfc3339(refund.created_at),
        "status": status,
        "funds_account": "AVAILABLE",
        "amount": {
            "total": order.total_fen,
            "refund": refund.amount_fen,
            "payer_total": order.total_fen,
            "payer_refund": refund.amount_fen,
            "settlement_refund": refund.amount_fen,
            "settlement_total": order.total_fen,
            "discount_refund": 0,
            "currency": "CNY",
        },
        "promotion_detail": [],
    }
    if status == Refund.Status.SUCCESS:
        out["success_time"] = rfc3339(refund.ended_at)
    return out
