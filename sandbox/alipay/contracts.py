"""Agreements: opened by a page, signed or refused in the wallet, ended by either side; deducted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum

from sandbox.alipay.letters import contract_notify
from sandbox.alipay.models import Contract, Merchant, Plan, Trade, Wallet
from sandbox.alipay.numbers import agreement_number, token
from sandbox.alipay.refusal import Refused
from sandbox.alipay.trades import Wanted, trade_begin, trade_hold, trade_pay
from sandbox.world import clock
from sandbox.world.faults import Fault

LIFE = timedelta(days=365 * 20)
State = Contract.State
GONE = "USER_AGREEMENT_NOT_EXIST"


@dataclass(frozen=True)
class Proposal:
    """What a signing page is asked for."""

    product_code: str
    sign_scene: str
    external_agreement_no: str
    external_logon_id: str = ""
    notify_url: str = ""
    return_url: str = ""
    period: dict[str, Any] = field(default_factory=dict)


def contract_lock(merchant: Merchant, **where: object) -> Contract:
    rows = Contract.objects.select_for_update(of=("self",)).select_related(
        "merchant", "plan", "wallet"
    )
    contract = rows.filter(merchant=merchant, **where).first()
    if contract is None:
        raise Refused(GONE, "用户协议不存在")
    return contract


@transaction.atomic
def contract_propose(merchant: Merchant, proposal: Proposal) -> Contract:
    """The opened page becomes a waiting agreement; opened again it is the same one."""
    plan = Plan.objects.filter(
        merchant=merchant, product_code=proposal.product_code, sign_scene=proposal.sign_scene
    ).first()
    if plan is None:
        raise Refused("PRODUCT_CODE_NOT_SUPPORTED_ERROR", "商户未签约该产品或场景")
    contract, _ = Contract.objects.get_or_create(
        merchant=merchant,
        plan=plan,
        external_agreement_no=proposal.external_agreement_no,
        defaults={
            "agreement_no": agreement_number(),
            "external_logon_id": proposal.external_logon_id,
            "period": proposal.period,
            "notify_url": proposal.notify_url,
            "return_url": proposal.return_url,
            "token": token(),
            "created_at": clock.now(),
        },
    )
    if contract.state != State.TEMP:
        raise Refused("EXTERNAL_AGREEMENT_NO_USED", "商户签约号已被使用")
    return contract


@transaction.atomic
def contract_sign(contract_pk: int, user_id: str) -> Contract:
    """The person behind a wallet signs; the notice tells the merchant who that was."""
    found = Contract.objects.select_related("merchant").filter(pk=contract_pk).first()
    if found is None:
        raise Refused(GONE, "用户协议不存在")
    contract = contract_lock(found.merchant, pk=contract_pk)
    wallet = Wallet.objects.select_for_update().filter(user_id=user_id).first()
    if wallet is None:
        raise Refused("USER_NOT_EXIST_ERROR", "支付宝用户信息不存在")
    if contract.state == State.NORMAL and contract.wallet_id == wallet.pk:
        return contract
    if contract.state != State.TEMP:
        raise Refused("EXTERNAL_AGREEMENT_NO_USED", "商户签约号已被使用")
    signed = Contract.objects.filter(merchant=contract.merchant, plan=contract.plan, wallet=wallet)
    if signed.filter(state=State.NORMAL).exists():
        raise Refused("USER_AGREEMENT_EXIST", "您已开通该服务")
    contract.wallet, contract.state = wallet, State.NORMAL
    contract.signed_at = clock.now()
    contract.expires_at = contract.signed_at + LIFE
    contract.save()
    contract_notify(contract, "dut_user_sign")
    return contract


@transaction.atomic
def contract_refuse(contract_pk: int) -> Contract:
    """A refused signing is never notified."""
    contract = Contract.objects.select_for_update().get(pk=contract_pk)
    if contract.state != State.TEMP:
        raise Refused("EXTERNAL_AGREEMENT_NO_USED", "签约已完成")
    contract.state = State.REFUSED
    contract.save(update_fields=["state"])
    return contract


@transaction.atomic
def contract_end(merchant: Merchant, **where: object) -> Contract:
    """End a signed agreement, by the merchant's call or by the user on his own."""
    contract = contract_lock(merchant, **where)
    if contract.state != State.NORMAL:
        raise Refused(GONE, "用户协议不存在")
    contract.state = State.STOP
    contract.ended_at = clock.now()
    contract.save()
    contract_notify(contract, "dut_user_unsign")
    return contract


@transaction.atomic
def deduction_take(
    merchant: Merchant, wanted: Wanted, agreement_no: str, product: str, fault: Fault | None
) -> Trade:
    """Take the amount under an agreement; a refusal leaves no trade behind."""
    contract = Contract.objects.filter(merchant=merchant, agreement_no=agreement_no).first()
    if contract is None:
        raise Refused("ACQ.AGREEMENT_NOT_EXIST", "用户协议不存在")
    contract = contract_lock(merchant, pk=contract.pk)
    trade, created = trade_begin(merchant, replace(wanted, contract=contract))
    if not created:
        return trade
    if contract.state != State.NORMAL or contract.wallet is None:
        raise Refused("ACQ.AGREEMENT_STATUS_NOT_NORMAL", "用户协议状态非NORMAL")
    if contract.plan.product_code != product:
        raise Refused("ACQ.INVALID_PARAMETER", "产品码与协议不一致")
    _within_limits(trade, contract)
    trade.wallet = contract.wallet
    if fault and fault.name == "never_final":
        trade_hold(trade, fault.name, fault)
    elif (fault and fault.name == "decline") or not trade_pay(trade, contract.wallet):
        raise Refused("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足")
    return trade


def _within_limits(trade: Trade, contract: Contract) -> None:
    """The scene's limits and the period's; the contract's row is locked."""
    plan, now = contract.plan, clock.now()
    if not plan.hours_from <= now.time() < plan.hours_to:
        raise Refused("ACQ.PAYMENT_REQUEST_HAS_RISK", "不在可扣款时间内")
    if trade.total_fen > plan.single_fen:
        raise Refused("ACQ.TOTAL_FEE_EXCEED", "单笔扣款金额超过限额")
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    paid = Trade.objects.filter(contract=contract, paid_at__isnull=False)
    today = paid.filter(paid_at__gte=midnight).aggregate(n=Count("id"), s=Sum("total_fen"))
    if today["n"] >= plan.daily_count or (today["s"] or 0) + trade.total_fen > plan.daily_fen:
        raise Refused("ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "买家付款日限额超限")
    if contract.period:
        _within_period(trade, contract.period, paid.aggregate(n=Count("id"), s=Sum("total_fen")))


def _within_period(trade: Trade, period: dict[str, Any], paid: dict[str, Any]) -> None:
    if clock.now().date() < date.fromisoformat(period["execute_time"]):
        raise Refused("ACQ.CYCLE_PAY_DATE_NOT_MATCH", "扣款日期不在签约时的允许范围之内")
    if trade.total_fen > period["single_fen"]:
        raise Refused("ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED", "周期扣款的单次金额超过签约时限制")
    if "total_fen" in period and (paid["s"] or 0) + trade.total_fen > period["total_fen"]:
        raise Refused("ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED", "周期扣款的总金额超过签约时限制")
    if "total_payments" in period and paid["n"] >= period["total_payments"]:
        raise Refused("ACQ.CYCLE_PAY_TOTAL_TIMES_EXCEED", "周期扣款的总次数超过签约时限制")
