"""What a person does with the wallet: shows a code, opens a link, confirms, signs, ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.db import transaction

from sandbox.alipay import contracts, refunds, trades, transfers
from sandbox.alipay.models import Contract, Merchant, PaymentCode, Trade, Wallet
from sandbox.alipay.numbers import code_number
from sandbox.alipay.refusal import Refused
from sandbox.world import clock, faults

CODE_LIFE = timedelta(seconds=60)
DECLINE = frozenset({"decline"})
OPEN = (Trade.State.OFFERED, Trade.State.WAIT_BUYER_PAY)


def wallet_of(user_id: str) -> Wallet:
    wallet = Wallet.objects.filter(user_id=user_id).first()
    if wallet is None:
        raise Refused("USER_NOT_EXIST_ERROR", f"没有这个支付宝用户：{user_id!r}")
    return wallet


def wallet_set(user_id: str, **fields: Any) -> Wallet:
    """Create or change a wallet; only the given fields change."""
    start = {"created_at": clock.now()} | fields
    wallet, _ = Wallet.objects.update_or_create(
        user_id=user_id, defaults=fields, create_defaults=start
    )
    return wallet


def code_show(user_id: str) -> PaymentCode:
    """A fresh payment code; the ones shown before stay valid for their minute."""
    return PaymentCode.objects.create(
        code=code_number(), wallet=wallet_of(user_id), expires_at=clock.now() + CODE_LIFE
    )


def link_token(link: str) -> str:
    """The token in a QR code's text, in a page of ours, or itself."""
    return urlsplit(link).path.rstrip("/").rsplit("/", 1)[-1]


def link_fields(link: str) -> dict[str, str]:
    """The signed parameters of a gateway link; empty for another text."""
    parts = urlsplit(link)
    return dict(parse_qsl(parts.query)) if parts.path.endswith("/gateway.do") else {}


@transaction.atomic
def link_open(user_id: str, link: str) -> Trade:
    """The wallet opens a code or link: now it is a trade, and this payer keeps it."""
    wallet = wallet_of(user_id)
    trade = trades.trade_by_token(link_token(link))
    if trade.state not in OPEN:
        raise Refused("ACQ.TRADE_STATUS_ERROR", f"交易状态为 {trade.state}")
    if trade.expires_at <= clock.now():
        raise Refused("ACQ.TRADE_HAS_CLOSE", "二维码或链接已失效")
    if trade.wallet is not None and trade.wallet.pk != wallet.pk:
        raise Refused("ACQ.TRADE_BUYER_NOT_MATCH", "交易买家不匹配")
    trade.wallet, trade.state = wallet, Trade.State.WAIT_BUYER_PAY
    trade.save(update_fields=["wallet", "state"])
    return trade


@transaction.atomic
def trade_confirm(user_id: str, token: str) -> Trade:
    """The password is typed in: the waiting trade is paid, if the wallet can."""
    trade = trades.trade_by_token(token)
    wallet = _own(trade, user_id)
    # A test that stands a never_final fault wants the trade to wait for its removal.
    if trade.held in trades.HOLDING:
        return trade
    strike = faults.draw("alipay", "capture", able=DECLINE)
    failed = strike is not None or not trades.trade_pay(trade, wallet)
    # A failed attempt on a link leaves it unpaid: the payer may try again.
    if failed and trade.product == "bar_code":
        trades.trade_fail(trade)
    return trade


@transaction.atomic
def trade_refuse(user_id: str, token: str) -> Trade:
    """The payer cancels: a scanned payment ends, a link stays payable."""
    trade = trades.trade_by_token(token)
    _own(trade, user_id)
    if trade.product == "bar_code":
        trades.trade_fail(trade)
    return trade


def _own(trade: Trade, user_id: str) -> Wallet:
    if trade.wallet is None or trade.wallet.user_id != user_id:
        raise Refused("ACQ.TRADE_BUYER_NOT_MATCH", "交易买家不匹配")
    if trade.state != Trade.State.WAIT_BUYER_PAY:
        raise Refused("ACQ.TRADE_STATUS_ERROR", f"交易状态为 {trade.state}")
    return trade.wallet


def waiting_of(user_id: str) -> list[Trade]:
    """Trades that wait for this person's password, newest first."""
    rows = Trade.objects.filter(
        wallet__user_id=user_id, state=Trade.State.WAIT_BUYER_PAY, expires_at__gt=clock.now()
    )
    return list(rows.select_related("merchant").order_by("-created_at", "-id"))


def trade_waiting(user_id: str, subject: str) -> Trade:
    """The trade meant by its number or link token, or the newest one that waits."""
    for trade in waiting_of(user_id):
        if subject in ("", trade.out_trade_no, trade.token) or link_token(subject) == trade.token:
            return trade
    raise Refused("ACQ.TRADE_NOT_EXIST", f"没有等待 {user_id!r} 的付款")


def contract_by_token(value: str) -> Contract:
    found = Contract.objects.select_related("merchant", "plan").filter(token=value).first()
    if found is None:
        raise Refused(contracts.GONE, "没有这个签约页面")
    return found


def contract_unsign(user_id: str, agreement_no: str) -> Contract:
    """The user ends an agreement on his own; the merchant is only told."""
    found = Contract.objects.select_related("merchant").filter(agreement_no=agreement_no).first()
    if found is None or found.wallet_id != wallet_of(user_id).pk:
        raise Refused(contracts.GONE, "用户协议不存在")
    return contracts.contract_end(found.merchant, agreement_no=agreement_no)


def merchant_of(pid: str) -> Merchant:
    merchant = Merchant.objects.filter(pid=pid).first()
    if merchant is None:
        raise Refused("ACQ.PARTNER_ERROR", f"没有商户 {pid!r}")
    return merchant


def held_release() -> None:
    """What removed faults held back goes on: trades are tried, refunds and transfers end."""
    standing = [fault.id for fault in faults.faults_standing()]
    for pk in trades.trades_held(standing):
        trades.trade_release(pk)
    for pk in refunds.refunds_held(standing):
        refunds.refund_settle(pk)
    for pk in transfers.transfers_held(standing):
        transfers.transfer_settle(pk)
