"""How an order is shown to its merchant, in queries and in notices."""

from __future__ import annotations

from typing import Any

from sandbox.wechat_pay.models import Order
from sandbox.wechat_pay.numbers import rfc3339


def order_json(order: Order) -> dict[str, Any]:
    """An order as v3 shows it, in the query and in the notice."""
    out: dict[str, Any] = {
        "appid": order.appid,
        "mchid": order.merchant.mchid,
        "out_trade_no": order.out_trade_no,
        "trade_type": trade_type(order),
        "trade_state": order.state,
        "trade_state_desc": state_text(order),
        "attach": order.attach,
        "amount": {"total": order.total_fen, "currency": "CNY"},
        "promotion_detail": [],
    }
    if order.paid_at and order.wallet:
        out |= {
            "transaction_id": order.transaction_id,
            "bank_type": "OTHERS",
            "success_time": rfc3339(order.paid_at),
            "payer": {"openid": order.wallet.openid},
        }
        out["amount"] |= {"payer_total": order.total_fen, "payer_currency": "CNY"}
    return out


def trade_type(order: Order) -> str:
    names = {"codepay": "MICROPAY", "h5": "MWEB", "papay": "PAP"}
    return names.get(order.product, order.product.upper())


def state_text(order: Order) -> str:
    texts = {
        "SUCCESS": "支付成功", "REFUND": "转入退款", "NOTPAY": "订单未支付", "CLOSED": "订单已关闭",
        "REVOKED": "订单已撤销", "USERPAYING": "需要用户输入支付密码", "PAYERROR": "支付失败",
        "ACCEPT": "已接收，等待扣款",
    }  # fmt: skip
    return order.error_text or texts[order.state]
