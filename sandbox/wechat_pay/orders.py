"""Orders: created, paid from a wallet, closed, reversed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from sandbox.wechat_pay.books import entry_add
from sandbox.wechat_pay.letters import order_notify
from sandbox.wechat_pay.models import BookEntry, Contract, Merchant, Order, PaymentCode, Wallet
from sandbox.wechat_pay.numbers import token, transaction_number
from sandbox.wechat_pay.refusal import Refused
from sandbox.world import clock
from sandbox.world.faults import Fault

LINK_LIFE = {"h5": timedelta(minutes=5)}
PREPAY_LIFE = timedelta(hours=2)
ORDER_LIFE = timedelta(days=7)
REVERSIBLE_FOR = timedelta(days=7)
ENDED = (Order.State.CLOSED, Order.State.REVOKED, Order.State.PAYERROR)
PAID = (Order.State.SUCCESS, Order.State.REFUND)


@dataclass(frozen=True)
class Wanted:
    """What a merchant asked for, of whatever product and protocol."""

    out_trade_no: str
    product: str
    description: str
    total_fen: int
    fingerprint: str
    attach: str = ""
    notify_url: str = ""
    expires_at: datetime | None = None
    openid: str = ""
    contract: Contract | None = None
    sign_type: str = "MD5"


def order_create(merchant: Merchant, wanted: Wanted) -> tuple[Order, bool]:
    """The order of this number: new, or the same one asked for again; locked either way."""
    at = clock.now()
    linked = wanted.product in ("native", "jsapi", "h5", "app")
    own_number = transaction_number()
    Order.objects.bulk_create(
        [
            Order(
                merchant=merchant,
                out_trade_no=wanted.out_trade_no,
                transaction_id=own_number,
                product=wanted.product,
                fingerprint=wanted.fingerprint,
                appid=merchant.appid,
                description=wanted.description,
                attach=wanted.attach,
                total_fen=wanted.total_fen,
                notify_url=wanted.notify_url,
                sign_type=wanted.sign_type,
                token=token(),
                link_until=at + LINK_LIFE.get(wanted.product, PREPAY_LIFE) if linked else None,
                expires_at=wanted.expires_at or (at + ORDER_LIFE if linked else None),
                contract=wanted.contract,
                wanted_openid=wanted.openid,
                created_at=at,
            )
        ],
        ignore_conflicts=True,
    )
    order = _locked(merchant=merchant, out_trade_no=wanted.out_trade_no)
    # Of several calls at once only the one whose row was kept finds its own number there.
    created = order.transaction_id == own_number
    if created:
        return order, True
    if order.fingerprint != wanted.fingerprint:
        raise Refused(400, "INVALID_REQUEST", "请求重入时，参数与首次请求时不一致")
    if order.state in PAID:
        raise Refused(400, "ORDERPAID", "该订单已支付")
    if order.state in ENDED:
        raise Refused(400, "ORDER_CLOSED", "该订单已关闭，请重新下单")
    if linked:
        # The same order, a fresh link: as the vendor gives a new prepay for the same parameters.
        order.link_until = at + LINK_LIFE.get(wanted.product, PREPAY_LIFE)
        order.save(update_fields=["link_until"])
    return order, False


def _locked(**where: object) -> Order:
    rows = Order.objects.select_for_update(of=("self",)).select_related(
        "merchant", "contract__plan", "contract__wallet", "wallet"
    )
    order = rows.filter(**where).first()
    if order is None:
        raise Refused(404, "ORDER_NOT_EXIST", "订单不存在")
    if order.state == Order.State.NOTPAY and order.expires_at and order.expires_at <= clock.now():
        _end(order, Order.State.CLOSED)
    return order


def order_lock(merchant: Merchant, *, out_trade_no: str = "", transaction_id: str = "") -> Order:
    """The locked order by either number; one past its time is found closed."""
    if transaction_id:
        order = _locked(merchant=merchant, transaction_id=transaction_id)
        # The vendor's number is only valid for an order that was paid.
        if not order.paid_at or (out_trade_no and out_trade_no != order.out_trade_no):
            raise Refused(404, "ORDER_NOT_EXIST", "订单不存在")
        return order
    return _locked(merchant=merchant, out_trade_no=out_trade_no)


def order_by_token(value: str) -> Order:
    """The locked order behind a link of the phone."""
    return _locked(token=value)


def _end(order: Order, state: Order.State, error: str = "", text: str = "") -> None:
    order.state = state
    order.held = order.held_by = ""
    order.error, order.error_text = error, text
    order.ended_at = clock.now()
    order.save()


def order_hold(order: Order, state: Order.State, held: str, fault: Fault | None = None) -> None:
    """The order waits: for a password, or for the end of a fault."""
    order.state = state
    order.held, order.held_by = held, fault.id if fault else ""
    order.save()


def order_fail(order: Order, state: Order.State, error: str, text: str) -> None:
    """The order ends without money having moved."""
    _end(order, state, error, text)


def order_pay(order: Order, wallet: Wallet, *, delay_s: float = 0.0) -> bool:
    """Move the money of a locked order out of a wallet; False where it is not enough."""
    wallet = Wallet.objects.select_for_update().get(pk=wallet.pk)
    if wallet.balance_fen < order.total_fen:
        return False
    wallet.balance_fen -= order.total_fen
    wallet.save(update_fields=["balance_fen"])
    order.wallet = wallet
    order.paid_at = clock.now()
    _end(order, Order.State.SUCCESS)
    entry_add(
        order.merchant,
        BookEntry.Kind.CAPTURED,
        order.total_fen,
        number=order.out_trade_no,
        own_number=order.transaction_id,
    )
    order_notify(order, delay_s=delay_s)
    return True


@transaction.atomic
def order_scan(merchant: Merchant, wanted: Wanted, auth_code: str, fault: Fault | None) -> Order:
    """A scanned payment: paid at once, or waiting for the password, or failed for good."""
    if not _code_looks_right(auth_code):
        raise Refused(400, "AUTH_CODE_INVALID", "付款码格式错误，请扫描微信支付付款码")
    # Looked for under the code's lock: a twin that came in the same moment has made the order.
    code = PaymentCode.objects.select_for_update().filter(code=auth_code).first()
    known = Order.objects.filter(merchant=merchant, out_trade_no=wanted.out_trade_no).first()
    if known is None:
        if code is None:
            raise Refused(400, "AUTH_CODE_INVALID", "付款码无效")
        if code.expires_at <= clock.now():
            raise Refused(400, "AUTH_CODE_EXPIRE", "付款码已过期，请刷新再试")
        if code.used_by:
            raise Refused(400, "AUTH_CODE_INVALID", "付款码已被使用，请刷新再试")
    order, created = order_create(merchant, wanted)
    if not created or code is None:
        return order
    code.used_by = wanted.out_trade_no
    code.save(update_fields=["used_by"])
    name = fault.name if fault else ""
    order.wallet = code.wallet
    if name in ("user_paying", "never_final"):
        order_hold(order, Order.State.USERPAYING, name, fault)
    elif name == "decline":
        order_fail(order, Order.State.PAYERROR, "NOT_ENOUGH", "用户账号余额不足")
    elif order.total_fen > code.wallet.free_fen:
        order_hold(order, Order.State.USERPAYING, "password")
    elif not order_pay(order, code.wallet):
        order_fail(order, Order.State.PAYERROR, "NOT_ENOUGH", "用户账号余额不足")
    return order


def _code_looks_right(auth_code: str) -> bool:
    """A wallet's own code, or an insurance code, which has its own length and beginning."""
    lengths = {CODE_LENGTH: _PREFIXES, INSURANCE_LENGTH: INSURANCE_PREFIXES}
    known = lengths.get(len(auth_code), ())
    return auth_code.isascii() and auth_code.isdecimal() and auth_code.startswith(known)


CODE_LENGTH = 18
_PREFIXES = ("10", "11", "12", "13", "14", "15")
INSURANCE_LENGTH = 28
INSURANCE_PREFIXES = ("01",)


@transaction.atomic
def order_close(merchant: Merchant, out_trade_no: str, fault: Fault | None) -> Order:
    """Close an unpaid order; under `success_after_close` the money arrives all the same."""
    order = order_lock(merchant, out_trade_no=out_trade_no)
    if order.product == "codepay":
        raise Refused(400, "INVALID_REQUEST", "付款码支付的订单不支持关单，只能撤销")
    if order.state in PAID:
        raise Refused(400, "ORDERPAID", "订单已支付，不能关闭")
    if order.state != Order.State.CLOSED:
        _end(order, Order.State.CLOSED)
        if fault and fault.name == "success_after_close":
            wallet = _payer_of(order)
            if wallet:
                order_pay(order, wallet, delay_s=1.0)
    return order


def _payer_of(order: Order) -> Wallet | None:
    """Who would have paid: the contract's wallet, the wanted payer, else the richest."""
    if order.contract and order.contract.wallet:
        return order.contract.wallet
    if order.wallet:
        return order.wallet
    rows = Wallet.objects.order_by("-balance_fen")
    return (rows.filter(openid=order.wanted_openid) if order.wanted_openid else rows).first()


@transaction.atomic
def order_reverse(merchant: Merchant, out_trade_no: str) -> Order:
    """Undo a scanned payment: unpaid is closed, paid goes back; safe to ask again."""
    order = order_lock(merchant, out_trade_no=out_trade_no)
    age = clock.now() - order.created_at
    if order.product != "codepay":
        raise Refused(400, "INVALID_REQUEST", "该订单不是付款码支付，不支持撤销")
    if order.state == Order.State.REVOKED:
        return order
    if age < timedelta(seconds=merchant.reverse_after_s):
        raise Refused(429, "FREQUENCY_LIMITED", "支付后15秒内不能撤销，请稍后重试")
    if age > REVERSIBLE_FOR:
        raise Refused(400, "REVERSE_EXPIRE", "订单超过7天，不支持撤销")
    if order.state == Order.State.REFUND:
        raise Refused(400, "TRADE_STATE_ERROR", "订单已转入退款，不能撤销")
    if order.state == Order.State.SUCCESS and order.wallet:
        wallet = Wallet.objects.select_for_update().get(pk=order.wallet.pk)
        wallet.balance_fen += order.total_fen
        wallet.save(update_fields=["balance_fen"])
        entry_add(
            merchant,
            BookEntry.Kind.REVERSED,
            order.total_fen,
            number=order.out_trade_no,
            own_number=order.transaction_id,
            parent=order.out_trade_no,
        )
    _end(order, Order.State.REVOKED)
    return order


def orders_held(standing: Iterable[str]) -> list[int]:
    """Orders held by a fault that no longer stands."""
    rows = Order.objects.filter(Q(held="user_paying") | Q(held="never_final"))
    return list(rows.exclude(held_by__in=list(standing)).values_list("pk", flat=True))


@transaction.atomic
def order_release(pk: int) -> Order:
    """The locked order that a fault held; the caller lets it go on."""
    return _locked(pk=pk)
