"""Refunds: one out_request_no of a trade moves money once, however often it is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction

from sandbox.alipay.books import entry_add
from sandbox.alipay.letters import deposit_back_notify, trade_notify
from sandbox.alipay.models import BookEntry, Merchant, Refund, Trade, Wallet
from sandbox.alipay.refusal import Refused
from sandbox.alipay.trades import trade_lock
from sandbox.world import clock
from sandbox.world.faults import Fault

Status = Refund.Status


@dataclass(frozen=True)
class Return:
    """What a merchant wants back to the payer."""

    out_request_no: str
    amount_fen: int
    out_trade_no: str = ""
    trade_no: str = ""
    reason: str = ""


@transaction.atomic
def refund_apply(merchant: Merchant, wanted: Return, fault: Fault | None) -> tuple[Refund, bool]:
    """The refund of this number, and whether this very call moved the money."""
    trade = trade_lock(merchant, out_trade_no=wanted.out_trade_no, trade_no=wanted.trade_no)
    known = trade.refunds.filter(out_request_no=wanted.out_request_no).first()
    if known is not None:
        if known.amount_fen != wanted.amount_fen:
            raise Refused("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
        known.trade = trade
        return known, False
    _allowed(trade, wanted)
    name = fault.name if fault else ""
    if name == "decline":
        raise Refused("ACQ.TRADE_NOT_ALLOW_REFUND", "当前交易不允许退款")
    refund = Refund.objects.create(
        trade=trade,
        out_request_no=wanted.out_request_no,
        amount_fen=wanted.amount_fen,
        reason=wanted.reason,
        fate="RETURNED" if name == "returned_after_success" else "SUCCESS",
        held_by=fault.id if fault and name == "never_final" else "",
        created_at=clock.now(),
    )
    trade.refunded_fen += wanted.amount_fen
    trade.save(update_fields=["refunded_fen"])
    if refund.held_by:
        return refund, False
    _finish(refund)
    return refund, True


def _allowed(trade: Trade, wanted: Return) -> None:
    """The vendor's rules for one more refund of a locked trade."""
    if trade.state == Trade.State.TRADE_FINISHED:
        raise Refused("ACQ.TRADE_HAS_FINISHED", "交易已完结")
    if trade.paid_at is None:
        raise Refused("ACQ.TRADE_STATUS_ERROR", "交易状态非法")
    if trade.refunded_fen + wanted.amount_fen > trade.total_fen:
        raise Refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", "退款金额超限")
    if trade.state != Trade.State.TRADE_SUCCESS:
        raise Refused("ACQ.TRADE_STATUS_ERROR", "交易状态非法")


def _finish(refund: Refund) -> None:
    """Let a refund meet its fate; its trade is locked by the caller."""
    trade = refund.trade
    refund.ended_at, refund.held_by = clock.now(), ""
    if refund.fate == "FAIL":
        refund.status = Status.FAIL
        refund.save()
        trade.refunded_fen -= refund.amount_fen
        trade.save(update_fields=["refunded_fen"])
        return
    refund.status = Status.SUCCESS
    _move(refund, BookEntry.Kind.REFUNDED)
    pending = trade.refunds.filter(status=Status.PROCESSING).exclude(pk=refund.pk).exists()
    if trade.refunded_fen == trade.total_fen and not pending:
        trade.state, trade.ended_at = Trade.State.TRADE_CLOSED, clock.now()
        trade.save(update_fields=["state", "ended_at"])
    refund.save()
    trade_notify(trade, refund=refund)
    if refund.fate == "RETURNED":
        # The payer's bank sends it back after all: the vendor tells the merchant a little later.
        refund.deposit_back = "F"
        refund.save(update_fields=["deposit_back"])
        _move(refund, BookEntry.Kind.RETURNED)
        deposit_back_notify(refund)


def _move(refund: Refund, kind: BookEntry.Kind) -> None:
    trade = refund.trade
    if trade.wallet is not None:
        wallet = Wallet.objects.select_for_update().get(pk=trade.wallet.pk)
        back = refund.amount_fen if kind == BookEntry.Kind.REFUNDED else -refund.amount_fen
        wallet.balance_fen += back
        wallet.save(update_fields=["balance_fen"])
    entry_add(
        trade.merchant,
        kind,
        refund.amount_fen,
        number=refund.out_request_no,
        own_number=trade.trade_no,
        parent=trade.out_trade_no,
    )


@transaction.atomic
def refund_settle(pk: int, fate: str = "") -> Refund:
    """End a refund that was held, optionally with another fate than planned."""
    held = Refund.objects.select_related("trade__merchant").get(pk=pk)
    trade = trade_lock(held.trade.merchant, trade_no=held.trade.trade_no)
    refund = Refund.objects.select_for_update(of=("self",)).get(pk=pk)
    refund.trade = trade
    if refund.status == Status.PROCESSING:
        refund.fate = fate or refund.fate
        _finish(refund)
    return refund


def refunds_held(standing: Iterable[str]) -> list[int]:
    """Refunds held by a fault that no longer stands."""
    rows = Refund.objects.filter(status=Status.PROCESSING).exclude(held_by="")
    return list(rows.exclude(held_by__in=list(standing)).values_list("pk", flat=True))
