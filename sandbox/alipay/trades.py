"""Trades: begun, opened, paid from a wallet, closed, cancelled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from sandbox.alipay.books import entry_add
from sandbox.alipay.letters import trade_notify
from sandbox.alipay.models import BookEntry, Contract, Merchant, PaymentCode, Trade, Wallet
from sandbox.alipay.numbers import token, trade_number
from sandbox.alipay.refusal import Refused
from sandbox.world import clock
from sandbox.world.faults import Fault

State = Trade.State
PAID = (State.TRADE_SUCCESS, State.TRADE_FINISHED)
HOLDING = ("user_paying", "never_final")
OFFERS = ("precreate", "wap")


@dataclass(frozen=True)
class Wanted:
    """What a merchant asked for, of whatever product."""

    out_trade_no: str
    product: str
    subject: str
    total_fen: int
    fingerprint: str
    expires_at: datetime
    notify_url: str = ""
    return_url: str = ""
    contract: Contract | None = None


def trade_begin(merchant: Merchant, wanted: Wanted) -> tuple[Trade, bool]:
    """The trade of this number: new, or the same one asked for again; locked either way."""
    own_number = trade_number()
    Trade.objects.bulk_create(
        [
            Trade(
                merchant=merchant,
                out_trade_no=wanted.out_trade_no,
                trade_no=own_number,
                product=wanted.product,
                fingerprint=wanted.fingerprint,
                subject=wanted.subject,
                total_fen=wanted.total_fen,
                notify_url=wanted.notify_url,
                return_url=wanted.return_url,
                token=token(),
                expires_at=wanted.expires_at,
                contract=wanted.contract,
                state=State.OFFERED if wanted.product in OFFERS else State.WAIT_BUYER_PAY,
                created_at=clock.now(),
            )
        ],
        ignore_conflicts=True,
    )
    trade = _locked(merchant=merchant, out_trade_no=wanted.out_trade_no)
    # Of several calls at once only the one whose row was kept finds its own number there.
    if trade.trade_no == own_number:
        return trade, True
    if trade.fingerprint != wanted.fingerprint:
        raise Refused("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
    if trade.state in PAID or trade.paid_at:
        raise Refused("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
    if trade.state == State.TRADE_CLOSED:
        raise Refused("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
    return trade, False


def _locked(**where: object) -> Trade:
    rows = Trade.objects.select_for_update(of=("self",)).select_related(
        "merchant", "contract__plan", "contract__wallet", "wallet"
    )
    trade = rows.filter(**where).first()
    if trade is None:
        raise Refused("ACQ.TRADE_NOT_EXIST", "交易不存在")
    now = clock.now()
    if trade.state == State.WAIT_BUYER_PAY and not trade.held and trade.expires_at <= now:
        _end(trade, State.TRADE_CLOSED)
    window = timedelta(days=trade.merchant.refund_window_days)
    if trade.state == State.TRADE_SUCCESS and trade.paid_at and trade.paid_at + window < now:
        _end(trade, State.TRADE_FINISHED)
    return trade


def trade_lock(merchant: Merchant, *, out_trade_no: str = "", trade_no: str = "") -> Trade:
    """The locked trade by either number. What nobody has opened yet is no trade."""
    where = {"trade_no": trade_no} if trade_no else {"out_trade_no": out_trade_no}
    trade = _locked(merchant=merchant, **where)
    if trade.state == State.OFFERED:
        raise Refused("ACQ.TRADE_NOT_EXIST", "交易不存在")
    return trade


def trade_by_token(value: str) -> Trade:
    """The locked trade behind a code or link."""
    return _locked(token=value)


def _end(trade: Trade, state: State) -> None:
    trade.state = state
    trade.held = trade.held_by = ""
    trade.ended_at = clock.now()
    trade.save()


def trade_hold(trade: Trade, held: str, fault: Fault | None = None) -> None:
    """The trade waits: for a password, or for the end of a fault."""
    trade.state = State.WAIT_BUYER_PAY
    trade.held, trade.held_by = held, fault.id if fault else ""
    trade.save()


def trade_fail(trade: Trade) -> None:
    """The trade ends without money having moved."""
    _end(trade, State.TRADE_CLOSED)


def trade_pay(trade: Trade, wallet: Wallet, *, delay_s: float = 0.0) -> bool:
    """Move the money of a locked trade out of a wallet; False where it is not enough."""
    wallet = Wallet.objects.select_for_update().get(pk=wallet.pk)
    if wallet.balance_fen < trade.total_fen:
        return False
    wallet.balance_fen -= trade.total_fen
    wallet.save(update_fields=["balance_fen"])
    trade.wallet = wallet
    trade.paid_at = clock.now()
    _end(trade, State.TRADE_SUCCESS)
    entry_add(
        trade.merchant,
        BookEntry.Kind.CAPTURED,
        trade.total_fen,
        number=trade.out_trade_no,
        own_number=trade.trade_no,
    )
    trade_notify(trade, delay_s=delay_s)
    return True


@transaction.atomic
def trade_scan(merchant: Merchant, wanted: Wanted, auth_code: str, fault: Fault | None) -> Trade:
    """A scanned payment: paid at once, or waiting for the password; a refusal leaves no trade."""
    # Locked first: of several calls at once all but one find the trade of the first.
    code = PaymentCode.objects.select_for_update().filter(code=auth_code).first()
    known = Trade.objects.filter(merchant=merchant, out_trade_no=wanted.out_trade_no).exists()
    if not known and (code is None or code.used_by or code.expires_at <= clock.now()):
        raise Refused("ACQ.PAYMENT_AUTH_CODE_INVALID", "支付授权码无效")
    trade, created = trade_begin(merchant, wanted)
    if not created or code is None:
        return trade
    code.used_by = wanted.out_trade_no
    code.save(update_fields=["used_by"])
    trade.wallet = code.wallet
    name = fault.name if fault else ""
    if name in HOLDING:
        trade_hold(trade, name, fault)
    elif name == "decline":
        raise Refused("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足")
    elif trade.total_fen > code.wallet.free_fen:
        trade_hold(trade, "password")
    elif not trade_pay(trade, code.wallet):
        raise Refused("ACQ.BUYER_BALANCE_NOT_ENOUGH", "买家余额不足")
    return trade


@transaction.atomic
def trade_close(merchant: Merchant, fault: Fault | None, **which: str) -> Trade:
    """Close an unpaid trade; under `success_after_close` the money arrives all the same."""
    trade = trade_lock(merchant, **which)
    if trade.state != State.WAIT_BUYER_PAY:
        raise Refused("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
    _end(trade, State.TRADE_CLOSED)
    if fault and fault.name == "success_after_close":
        wallet = _payer_of(trade)
        if wallet:
            trade_pay(trade, wallet, delay_s=1.0)
    return trade


def _payer_of(trade: Trade) -> Wallet | None:
    """Who would have paid: the contract's wallet, who opened it, else the richest."""
    if trade.contract and trade.contract.wallet:
        return trade.contract.wallet
    return trade.wallet or Wallet.objects.order_by("-balance_fen").first()


@transaction.atomic
def trade_cancel(merchant: Merchant, **which: str) -> tuple[Trade, str]:
    """Undo a trade: unpaid is closed, paid goes back; what was done, empty when nothing was left.

    Raises Refused where the vendor does not allow it any more.
    """
    trade = trade_lock(merchant, **which)
    if trade.state == State.TRADE_CLOSED:
        return trade, "refund" if trade.paid_at else "close"
    if trade.state == State.WAIT_BUYER_PAY:
        _end(trade, State.TRADE_CLOSED)
        return trade, "close"
    age = clock.now() - trade.created_at
    if age > timedelta(seconds=merchant.cancel_window_s):
        raise Refused("ACQ.TRADE_CANCEL_TIME_OUT", "超过撤销时间范围")
    if trade.refunded_fen or trade.state == State.TRADE_FINISHED:
        raise Refused("ACQ.REASON_TRADE_REFUND_FEE_ERR", "已经退款的交易不能撤销")
    _give_back(trade)
    return trade, "refund"


def _give_back(trade: Trade) -> None:
    if trade.wallet:
        wallet = Wallet.objects.select_for_update().get(pk=trade.wallet.pk)
        wallet.balance_fen += trade.total_fen
        wallet.save(update_fields=["balance_fen"])
    entry_add(
        trade.merchant,
        BookEntry.Kind.REVERSED,
        trade.total_fen,
        number=trade.out_trade_no,
        own_number=trade.trade_no,
        parent=trade.out_trade_no,
    )
    trade.refunded_fen = trade.total_fen
    _end(trade, State.TRADE_CLOSED)
    trade_notify(trade)


def trades_held(standing: Iterable[str]) -> list[int]:
    """Trades held by a fault that no longer stands."""
    rows = Trade.objects.filter(Q(held="user_paying") | Q(held="never_final"))
    return list(rows.exclude(held_by__in=list(standing)).values_list("pk", flat=True))


@transaction.atomic
def trade_release(pk: int) -> None:
    """What a fault held back goes on: paid, or closed for want of money."""
    trade = _locked(pk=pk)
    if trade.held not in HOLDING:
        return
    wallet = _payer_of(trade)
    if wallet is None or not trade_pay(trade, wallet):
        trade_fail(trade)
