"""What one phone shows, read from the wallet and from the messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from sandbox.messages.models import Message
from sandbox.messages.selectors import messages_for
from sandbox.wechat_pay.models import Contract, Order, PaymentCode, Refund, Wallet
from sandbox.world import clock

FEW_SECONDS = 8


@dataclass(frozen=True)
class HistoryLine:
    at: datetime
    title: str
    detail: str
    fen: int


def wallets_found(query: str) -> list[Wallet]:
    rows = Wallet.objects.order_by("name", "pk")
    if query:
        rows = rows.filter(
            Q(name__icontains=query) | Q(phone__icontains=query) | Q(openid__icontains=query)
        )
    return list(rows[:100])


def messages_of(wallet: Wallet) -> list[Message]:
    return messages_for(openid=wallet.openid, phone=wallet.phone)


def code_open(wallet: Wallet) -> PaymentCode | None:
    """The wallet's own code, while it has some seconds left and nobody scanned it."""
    rows = PaymentCode.objects.filter(wallet=wallet, used_by="", code__startswith="1")
    row = rows.order_by("-expires_at").first()
    return row if row is not None and seconds_left(row.expires_at) >= FEW_SECONDS else None


def seconds_left(until: datetime) -> int:
    return max(int((until - clock.now()).total_seconds()), 0)


def contracts_of(wallet: Wallet) -> list[Contract]:
    rows = Contract.objects.filter(wallet=wallet).select_related("merchant", "plan")
    return list(rows.order_by("-pk"))


def history_of(wallet: Wallet) -> list[HistoryLine]:
    """Newest first: what was paid and what came back."""
    orders = Order.objects.filter(wallet=wallet, paid_at__isnull=False).select_related("merchant")
    refunds = Refund.objects.filter(
        order__wallet=wallet, status=Refund.Status.SUCCESS
    ).select_related("merchant", "order")
    lines = [
        HistoryLine(one.paid_at, one.merchant.name, one.description, -one.total_fen)
        for one in orders.order_by("-paid_at")[:60]
        if one.paid_at is not None
    ]
    lines += [
        HistoryLine(one.ended_at, one.merchant.name, f"退款 {one.reason}".strip(), one.amount_fen)
        for one in refunds.order_by("-ended_at")[:60]
        if one.ended_at is not None
    ]
    lines += [
        HistoryLine(one.ended_at, one.merchant.name, "撤销，已退回", one.total_fen)
        for one in orders.filter(state=Order.State.REVOKED)[:60]
        if one.ended_at is not None
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:60]
