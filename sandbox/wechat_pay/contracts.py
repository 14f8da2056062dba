"""Agreements: opened by a link, signed or refused on the phone, ended by either side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from sandbox.wechat_pay.letters import contract_notify
from sandbox.wechat_pay.models import Contract, Merchant, Plan, Wallet
from sandbox.wechat_pay.numbers import contract_number, token
from sandbox.wechat_pay.refusal import Refused
from sandbox.world import clock

LIFE = timedelta(days=365 * 20)
BY_USER, BY_MERCHANT = 2, 3
State = Contract.State


@dataclass(frozen=True)
class Proposal:
    """What a signing link says."""

    plan_id: str
    contract_code: str
    request_serial: str = ""
    display_account: str = ""
    notify_url: str = ""
    return_url: str = ""
    sign_type: str = "MD5"


def contract_lock(merchant: Merchant, **where: object) -> Contract:
    rows = Contract.objects.select_for_update(of=("self",)).select_related(
        "merchant", "plan", "wallet"
    )
    contract = rows.filter(merchant=merchant, **where).first()
    if contract is None:
        raise Refused(404, "CONTRACT_NOT_EXIST", "签约协议不存在")
    return contract


@transaction.atomic
def contract_propose(merchant: Merchant, proposal: Proposal) -> Contract:
    """The opened link becomes a waiting agreement; opened again it is the same one."""
    plan = Plan.objects.filter(merchant=merchant, plan_id=proposal.plan_id).first()
    if plan is None:
        raise Refused(400, "PARAM_ERROR", "模板id不存在")
    if not proposal.contract_code or not proposal.notify_url:
        raise Refused(400, "PARAM_ERROR", "contract_code与notify_url必填")
    contract, _ = Contract.objects.get_or_create(
        merchant=merchant,
        plan=plan,
        contract_code=proposal.contract_code,
        defaults={
            "contract_id": contract_number(),
            "request_serial": proposal.request_serial,
            "display_account": proposal.display_account,
            "notify_url": proposal.notify_url,
            "return_url": proposal.return_url,
            "sign_type": proposal.sign_type,
            "token": token(),
            "created_at": clock.now(),
        },
    )
    if contract.state != State.WAITING:
        raise Refused(400, "CONTRACT_EXISTED", "签约协议号已被使用")
    return contract


@transaction.atomic
def contract_sign(contract_pk: int, openid: str) -> Contract:
    """The person behind a wallet signs; the notice tells the merchant who that was."""
    found = Contract.objects.select_related("merchant").filter(pk=contract_pk).first()
    if found is None:
        raise Refused(404, "CONTRACT_NOT_EXIST", "签约协议不存在")
    contract = contract_lock(found.merchant, pk=contract_pk)
    wallet = Wallet.objects.select_for_update().filter(openid=openid).first()
    if wallet is None:
        raise Refused(404, "USER_NOT_EXIST", "用户不存在")
    if contract.state == State.SIGNED and contract.wallet_id == wallet.pk:
        return contract
    if contract.state != State.WAITING:
        raise Refused(400, "CONTRACT_EXISTED", "签约协议号已被使用")
    signed = Contract.objects.filter(merchant=contract.merchant, plan=contract.plan, wallet=wallet)
    if signed.filter(state=State.SIGNED).exists():
        raise Refused(400, "CONTRACT_EXISTED", "用户已签约该模板")
    contract.wallet, contract.state = wallet, State.SIGNED
    contract.signed_at = clock.now()
    contract.expires_at = contract.signed_at + LIFE
    contract.save()
    contract_notify(contract, "ADD")
    return contract


@transaction.atomic
def contract_refuse(contract_pk: int) -> Contract:
    """A refused signing is never notified."""
    contract = Contract.objects.select_for_update().get(pk=contract_pk)
    if contract.state != State.WAITING:
        raise Refused(400, "CONTRACT_EXISTED", "签约已完成")
    contract.state = State.REFUSED
    contract.save(update_fields=["state"])
    return contract


@transaction.atomic
def contract_end(merchant: Merchant, *, mode: int, remark: str = "", **where: object) -> Contract:
    """End a signed agreement, by the merchant's call or by the user on his own."""
    contract = contract_lock(merchant, **where)
    if contract.state == State.TERMINATED:
        raise Refused(400, "CONTRACT_TERMINATED", "协议已解约")
    if contract.state != State.SIGNED:
        raise Refused(404, "CONTRACT_NOT_EXIST", "签约协议不存在")
    contract.state = State.TERMINATED
    contract.terminated_at = clock.now()
    contract.termination_mode, contract.termination_remark = mode, remark
    contract.save()
    contract_notify(contract, "DELETE")
    return contract
