"""What the person with the phone does: show a code, open a link, confirm, refuse, sign."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db import transaction

from sandbox.wechat_pay import contracts, deductions, orders, refunds
from sandbox.wechat_pay.models import Contract, Merchant, Order, PaymentCode, Wallet
from sandbox.wechat_pay.numbers import code_number
from sandbox.wechat_pay.refusal import Refused
from sandbox.world import clock, faults

CODE_LIFE = timedelta(seconds=60)
DECLINE = frozenset({"decline"})


def wallet_of(openid: str) -> Wallet:
    wallet = Wallet.objects.filter(openid=openid).first()
    if wallet is None:
        raise Refused(404, "USER_NOT_EXIST", f"no wallet {openid!r}")
    return wallet


def wallet_set(openid: str, **fields: Any) -> Wallet:
    """Create or change a wallet; only the given fields change."""
    start = {"created_at": clock.now()} | fields
    wallet, _ = Wallet.objects.update_or_create(
        openid=openid, defaults=fields, create_defaults=start
    )
    return wallet


def code_show(openid: str, *, digits: str = "", until: datetime | None = None) -> PaymentCode:
    """A fresh payment code; the ones shown before stay valid for their minute.

    `digits` is a code that another counterparty shows on the same phone and that pays as well.
    """
    return PaymentCode.objects.create(
        code=digits or code_number(),
        wallet=wallet_of(openid),
        expires_at=until or clock.now() + CODE_LIFE,
    )


def link_token(link: str) -> str:
    """The token in what the merchant shows: a code_url, an h5_url, a prepay_id, or itself."""
    query = parse_qs(urlsplit(link).query)
    for name in ("pr", "prepay_id", "token"):
        if name in query:
            return query[name][0].removeprefix("wx")
    return link.rstrip("/").rsplit("/", 1)[-1].removeprefix("wx")


@transaction.atomic
def link_open(openid: str, link: str) -> Order:
    """The phone opens a payment link: the first payer keeps the order."""
    wallet = wallet_of(openid)
    order = orders.order_by_token(link_token(link))
    if order.state != Order.State.NOTPAY or order.link_until is None:
        raise Refused(400, "ORDER_CLOSED", f"the order is {order.state}")
    if order.link_until <= clock.now():
        raise Refused(400, "ORDER_CLOSED", "the link has expired")
    first = order.wanted_openid or (order.wallet.openid if order.wallet else openid)
    if first != openid:
        raise Refused(400, "OPENID_MISMATCH", "another payer opened this order")
    order.wallet = wallet
    order.save(update_fields=["wallet"])
    return order


@transaction.atomic
def order_confirm(openid: str, token: str) -> Order:
    """The password is typed in: the waiting order is paid, if the wallet can."""
    order = orders.order_by_token(token)
    wallet = _own(order, openid)
    # A test that stands a never_final fault wants the order to wait for its removal.
    if order.held in ("user_paying", "never_final"):
        return order
    strike = faults.draw("wechat_pay", "capture", able=DECLINE)
    failed = strike is not None or not orders.order_pay(order, wallet)
    # A failed attempt on a link leaves it unpaid: the payer may try again.
    if failed and order.product == "codepay":
        orders.order_fail(order, Order.State.PAYERROR, "NOT_ENOUGH", "用户账号余额不足")
    return order


@transaction.atomic
def order_refuse(openid: str, token: str) -> Order:
    """The payer cancels: a scanned payment fails, a link stays payable."""
    order = orders.order_by_token(token)
    _own(order, openid)
    if order.product == "codepay":
        orders.order_fail(order, Order.State.PAYERROR, "USER_CANCELED", "用户取消支付")
    return order


def _own(order: Order, openid: str) -> Wallet:
    if order.wallet is None or order.wallet.openid != openid:
        raise Refused(400, "OPENID_MISMATCH", "the order waits for another payer")
    if order.state not in (Order.State.NOTPAY, Order.State.USERPAYING):
        raise Refused(400, "ORDER_CLOSED", f"the order is {order.state}")
    return order.wallet


def waiting_of(openid: str) -> list[Order]:
    """Orders that wait for this person's password, newest first."""
    states = (Order.State.NOTPAY, Order.State.USERPAYING)
    rows = Order.objects.filter(wallet__openid=openid, state__in=states)
    return list(rows.select_related("merchant").order_by("-created_at", "-id"))


def order_waiting(openid: str, subject: str) -> Order:
    """The order meant by its number or link token, or the newest one that waits."""
    for order in waiting_of(openid):
        if subject in ("", order.out_trade_no, order.token, link_token(subject)):
            return order
    raise Refused(404, "ORDER_NOT_EXIST", f"nothing waits for {openid!r}")


def contract_by_token(value: str) -> Contract:
    found = Contract.objects.select_related("merchant", "plan").filter(token=value).first()
    if found is None:
        raise Refused(404, "CONTRACT_NOT_EXIST", "unknown signing link")
    return found


def contract_unsign(openid: str, contract_id: str) -> Contract:
    """The user ends an agreement on his own; the merchant is only told."""
    found = Contract.objects.select_related("merchant").filter(contract_id=contract_id).first()
    if found is None or found.wallet_id != wallet_of(openid).pk:
        raise Refused(404, "CONTRACT_NOT_EXIST", "no such agreement of this person")
    return contracts.contract_end(
        found.merchant, mode=contracts.BY_USER, contract_id=contract_id, remark="用户主动解约"
    )


def merchant_of(mchid: str) -> Merchant:
    merchant = Merchant.objects.filter(mchid=mchid).first()
    if merchant is None:
        raise Refused(400, "MCH_NOT_EXISTS", f"no merchant {mchid!r}")
    return merchant


def held_release() -> None:
    """What removed faults held back goes on: scans and deductions are tried, refunds end."""
    standing = [fault.id for fault in faults.faults_standing()]
    for pk in orders.orders_held(standing):
        _release(pk)
    for pk in refunds.refunds_held(standing):
        refunds.refund_settle(pk)


@transaction.atomic
def _release(pk: int) -> None:
    contract_pk = Order.objects.values_list("contract_id", flat=True).get(pk=pk)
    contract = None
    if contract_pk is not None:
        # The contract's lock comes first, as in a fresh deduction.
        rows = Contract.objects.select_for_update(of=("self",))
        contract = rows.select_related("plan", "wallet").get(pk=contract_pk)
    order = orders.order_release(pk)
    if order.held not in ("user_paying", "never_final"):
        return
    order.held = order.held_by = ""
    if contract is not None:
        deductions.deduction_try(order, contract)
    elif order.wallet is None or not orders.order_pay(order, order.wallet):
        orders.order_fail(order, Order.State.PAYERROR, "NOT_ENOUGH", "用户账号余额不足")
