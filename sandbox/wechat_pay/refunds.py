"""Refunds of both protocols: accepted first, then the money is back, or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

from sandbox.wechat_pay.books import entry_add
from sandbox.wechat_pay.letters import refund_notify
from sandbox.wechat_pay.models import BookEntry, Merchant, Order, Refund, Wallet
from sandbox.wechat_pay.numbers import refund_number
from sandbox.wechat_pay.orders import PAID, order_lock
from sandbox.wechat_pay.refusal import Refused
from sandbox.world import clock
from sandbox.world.faults import Fault

Status = Refund.Status
FATES = {
    "decline": "CLOSED",
    "returned_after_success": "RETURNED",
}


@dataclass(frozen=True)
class Return:
    """What a merchant wants back to the payer."""

    out_refund_no: str
    amount_fen: int
    total_fen: int
    protocol: str
    fingerprint: str
    out_trade_no: str = ""
    transaction_id: str = ""
    reason: str = ""
    notify_url: str = ""


@transaction.atomic
def refund_apply(merchant: Merchant, wanted: Return, fault: Fault | None) -> tuple[Refund, str]:
    """The refund of this number and the status to answer with; accepted says no more."""
    order = order_lock(
        merchant, out_trade_no=wanted.out_trade_no, transaction_id=wanted.transaction_id
    )
    known = refund_find(merchant, wanted.out_refund_no)
    if known is not None:
        if known.fingerprint != wanted.fingerprint:
            raise Refused(400, "INVALID_REQUEST", "请求重入时，参数与首次请求时不一致")
        return known, known.status
    _allowed(merchant, order, wanted)
    fate = FATES.get(fault.name, "SUCCESS") if fault else "SUCCESS"
    refund = Refund.objects.create(
        merchant=merchant,
        order=order,
        out_refund_no=wanted.out_refund_no,
        refund_id=refund_number(),
        protocol=wanted.protocol,
        fingerprint=wanted.fingerprint,
        amount_fen=wanted.amount_fen,
        reason=wanted.reason,
        notify_url=wanted.notify_url,
        fate=fate,
        held_by=fault.id if fault and fault.name == "never_final" else "",
        created_at=clock.now(),
    )
    order.refunded_fen += wanted.amount_fen
    order.state = Order.State.REFUND
    order.save(update_fields=["refunded_fen", "state"])
    if not refund.held_by:
        refund_finish(refund)
    return refund, Status.PROCESSING


def _allowed(merchant: Merchant, order: Order, wanted: Return) -> None:
    """The vendor's rules for one more refund of a locked order."""
    at = clock.now()
    if order.state not in PAID or order.paid_at is None:
        raise Refused(400, "TRADE_STATE_ERROR", "订单状态错误，未支付成功的订单不能退款")
    if wanted.total_fen != order.total_fen:
        raise Refused(400, "PARAM_ERROR", "订单金额与原订单不一致")
    # By date, not by hour: the last day counts in full.
    last = order.paid_at.astimezone(clock.SHANGHAI).date()
    if at.date() > last + timedelta(days=merchant.refund_window_days):
        raise Refused(400, "TRADE_OVERDUE", "超期订单不允许退款")
    if order.refunded_fen + wanted.amount_fen > order.total_fen:
        raise Refused(400, "INVALID_REQUEST", "累计退款金额大于支付金额")
    if order.refunds.count() >= merchant.refunds_per_order:
        raise Refused(400, "INVALID_REQUEST", "一笔订单最多支持50次部分退款")
    recent = at - timedelta(seconds=merchant.refund_spacing_s)
    if order.refunds.filter(created_at__gt=recent).exists():
        raise Refused(429, "FREQUENCY_LIMITED", "同一笔订单的退款间隔需大于1分钟，请稍后重试")


def refund_find(merchant: Merchant, out_refund_no: str) -> Refund | None:
    return (
        Refund.objects.select_related("order", "merchant")
        .filter(merchant=merchant, out_refund_no=out_refund_no)
        .first()
    )


def refund_finish(refund: Refund) -> None:
    """Let an accepted refund meet its fate; its order is locked by the caller."""
    order, merchant = refund.order, refund.merchant
    refund.ended_at, refund.held_by = clock.now(), ""
    if refund.fate == "CLOSED":
        refund.status = Status.CLOSED
        order.refunded_fen -= refund.amount_fen
        order.save(update_fields=["refunded_fen"])
        refund.save()
        refund_notify(refund, "CLOSED")
        return
    if refund.fate == "ABNORMAL":
        refund.status = Status.ABNORMAL
        refund.save()
        refund_notify(refund, "ABNORMAL")
        return
    refund.status = Status.SUCCESS
    _move(refund, merchant, BookEntry.Kind.REFUNDED)
    refund_notify(refund, "SUCCESS")
    if refund.fate == "RETURNED":
        # The payer's bank sends it back after all: the vendor tells the merchant a little later.
        refund.status = Status.ABNORMAL
        _move(refund, merchant, BookEntry.Kind.RETURNED)
        refund_notify(refund, "ABNORMAL", delay_s=1.5)
    refund.save()


def _move(refund: Refund, merchant: Merchant, kind: BookEntry.Kind) -> None:
    payer = refund.order.wallet
    if payer is not None:
        wallet = Wallet.objects.select_for_update().get(pk=payer.pk)
        back = refund.amount_fen if kind == BookEntry.Kind.REFUNDED else -refund.amount_fen
        wallet.balance_fen += back
        wallet.save(update_fields=["balance_fen"])
    entry_add(
        merchant,
        kind,
        refund.amount_fen,
        number=refund.out_refund_no,
        own_number=refund.refund_id,
        parent=refund.order.out_trade_no,
    )


@transaction.atomic
def refund_settle(pk: int, fate: str = "") -> Refund:
    """End a refund that was held, optionally with another fate than planned."""
    order_pk = Refund.objects.values_list("order_id", flat=True).get(pk=pk)
    order = Order.objects.select_for_update(of=("self",)).select_related("wallet").get(pk=order_pk)
    refund = Refund.objects.select_related("merchant").select_for_update(of=("self",)).get(pk=pk)
    refund.order = order
    if refund.status == Status.PROCESSING:
        refund.fate = fate or refund.fate
        refund_finish(refund)
    return refund


def refunds_held(standing: Iterable[str]) -> list[int]:
    """Refunds held by a fault that no longer stands."""
    rows = Refund.objects.filter(status=Status.PROCESSING).exclude(held_by="")
    return list(rows.exclude(held_by__in=list(standing)).values_list("pk", flat=True))
