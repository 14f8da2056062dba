"""What an order's status (ordStas) means: the literal table.

Codes 18 to 25 exist and nobody says what they mean; those and any other are asked again until they
become one of these. After 6202 an order is never closed by itself: the fund may have paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from core.outcomes import Outcome


class OrderClass(StrEnum):
    """What is to be done about an order."""

    OPEN = "open"  # ask again
    CASH_ONLY = "cash_only"  # the wallet paid, the fund not yet: ask again, then give back
    FUND_ONLY = "fund_only"  # the fund paid, the wallet not yet: ask again, then 6203
    PAID = "paid"
    REFUNDED = "refunded"
    PARTLY_REFUNDED = "partly_refunded"
    CLOSED = "closed"
    FAILED = "failed"
    OPERATOR = "operator"  # a person at the centre and one here must look
    UNKNOWN = "unknown"  # ask again


ORDER_STATES: Mapping[str, OrderClass] = MappingProxyType({
    "0": OrderClass.OPEN,  # 已保存
    "1": OrderClass.OPEN,  # 预结算完成
    "2": OrderClass.OPEN,  # 结算中
    "3": OrderClass.CASH_ONLY,  # 自费完成
    "4": OrderClass.FUND_ONLY,  # 医保支付完成
    "5": OrderClass.PAID,  # 院内结算完成
    "6": OrderClass.PAID,  # 结算完成
    "7": OrderClass.REFUNDED,  # 已退款
    "8": OrderClass.PARTLY_REFUNDED,  # 已医保全部退款
    "9": OrderClass.PARTLY_REFUNDED,  # 仅自费全部退款
    "10": OrderClass.PARTLY_REFUNDED,  # 仅自费部分退款
    "11": OrderClass.PARTLY_REFUNDED,  # 医保全部退款、自费部分退款
    "12": OrderClass.CLOSED,  # 已撤销
    "13": OrderClass.OPERATOR,  # 医保已撤销、自费未撤销
    "14": OrderClass.OPERATOR,  # 异常
    "15": OrderClass.FAILED,  # 结算失败
    "16": OrderClass.OPERATOR,  # 医保结算失败、自费冲正失败
    "17": OrderClass.OPEN,  # 退款中
})  # fmt: skip

# An order that was paid stays paid: what was given back is the refund's own question.
_OUTCOMES: Mapping[OrderClass, Outcome] = MappingProxyType({
    OrderClass.OPEN: Outcome.PENDING,
    OrderClass.CASH_ONLY: Outcome.PENDING,
    OrderClass.FUND_ONLY: Outcome.PENDING,
    OrderClass.PAID: Outcome.SUCCEEDED,
    OrderClass.REFUNDED: Outcome.SUCCEEDED,
    OrderClass.PARTLY_REFUNDED: Outcome.SUCCEEDED,
    OrderClass.CLOSED: Outcome.DECLINED,
    OrderClass.FAILED: Outcome.DECLINED,
    OrderClass.OPERATOR: Outcome.UNKNOWN,
    OrderClass.UNKNOWN: Outcome.UNKNOWN,
})  # fmt: skip


def order_class(code: str) -> OrderClass:
    """The class of a status; whatever stands in no table is asked again."""
    return ORDER_STATES.get(code, OrderClass.UNKNOWN)


def order_outcome(found: OrderClass) -> Outcome:
    """What a status says of the payment."""
    return _OUTCOMES[found]
