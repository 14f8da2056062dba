"""Deductions by agreement: accepted first, then paid or closed, told by a notice either way."""

from __future__ import annotations

from dataclasses import replace

from django.db import transaction
from django.db.models import Count, Sum

from sandbox.wechat_pay.contracts import contract_lock
from sandbox.wechat_pay.letters import order_notify
from sandbox.wechat_pay.models import Contract, Merchant, Order
from sandbox.wechat_pay.orders import Wanted, order_create, order_fail, order_hold, order_pay
from sandbox.wechat_pay.refusal import Refused
from sandbox.world import clock
from sandbox.world.faults import Fault


@transaction.atomic
def deduction_apply(
    merchant: Merchant, wanted: Wanted, contract_id: str, fault: Fault | None
) -> Order:
    """Accept a deduction and try it; accepted says nothing about paid."""
    contract = contract_lock(merchant, contract_id=contract_id)
    order, created = order_create(merchant, replace(wanted, contract=contract))
    if not created:
        raise Refused(400, "ORDER_ACCEPTED", "订单已受理，请勿重复提交，请查询订单结果")
    if contract.state != Contract.State.SIGNED:
        # Raised inside the transaction: the order was never there.
        raise Refused(400, "CONTRACT_NOT_EXIST", "签约协议不存在或已解约")
    name = fault.name if fault else ""
    if name == "never_final":
        order_hold(order, Order.State.ACCEPT, name, fault)
    elif name == "decline":
        deduction_decline(order, "NOTENOUGH", "用户账户余额不足")
    else:
        deduction_try(order, contract)
    return order


def deduction_try(order: Order, contract: Contract) -> None:
    """Take the money within the plan's limits; a failure closes the order for good."""
    broken = _limit_broken(order, contract)
    if contract.state != Contract.State.SIGNED or contract.wallet is None:
        deduction_decline(order, "CONTRACT_NOT_EXIST", "签约协议不存在或已解约")
    elif broken:
        deduction_decline(order, "RULELIMIT", broken)
    elif not order_pay(order, contract.wallet):
        deduction_decline(order, "NOTENOUGH", "用户账户余额不足")


def deduction_decline(order: Order, error: str, text: str) -> None:
    order_fail(order, Order.State.CLOSED, error, text)
    order_notify(order)


def _limit_broken(order: Order, contract: Contract) -> str:
    """Which limit of the plan the deduction would break; the contract's row is locked."""
    plan, now = contract.plan, clock.now()
    if not plan.hours_from <= now.time() < plan.hours_to:
        return f"扣款时间限{plan.hours_from:%H:%M}至{plan.hours_to:%H:%M}"
    if order.total_fen > plan.single_fen:
        return "单笔扣款金额超过限额"
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    paid = Order.objects.filter(contract=contract, paid_at__gte=midnight)
    so_far = paid.aggregate(n=Count("id"), s=Sum("total_fen"))
    if so_far["n"] >= plan.daily_count:
        return "当日扣款次数超过限制"
    if (so_far["s"] or 0) + order.total_fen > plan.daily_fen:
        return "当日扣款金额超过限额"
    return ""
