"""What the wallet's page shows."""

from __future__ import annotations

from django.db.models import Q

from sandbox.alipay.models import Contract, PaymentCode, Refund, Trade, Wallet
from sandbox.phone.selectors import FEW_SECONDS, HistoryLine, seconds_left


def wallets_found(query: str) -> list[Wallet]:
    rows = Wallet.objects.order_by("name", "pk")
    if query:
        rows = rows.filter(
            Q(name__icontains=query) | Q(phone__icontains=query) | Q(user_id__icontains=query)
        )
    return list(rows[:100])


def code_open(wallet: Wallet) -> PaymentCode | None:
    """The code on the screen, while it has some seconds left and nobody scanned it."""
    row = PaymentCode.objects.filter(wallet=wallet, used_by="").order_by("-expires_at").first()
    return row if row is not None and seconds_left(row.expires_at) >= FEW_SECONDS else None


def contracts_of(wallet: Wallet) -> list[Contract]:
    rows = Contract.objects.filter(wallet=wallet).select_related("merchant", "plan")
    return list(rows.order_by("-pk"))


def history_of(wallet: Wallet) -> list[HistoryLine]:
    """Newest first: what was paid and what came back."""
    trades = Trade.objects.filter(wallet=wallet, paid_at__isnull=False).select_related("merchant")
    refunds = Refund.objects.filter(
        trade__wallet=wallet, status=Refund.Status.SUCCESS
    ).select_related("trade__merchant")
    lines = [
        HistoryLine(one.paid_at, one.merchant.name, one.subject, -one.total_fen)
        for one in trades.order_by("-paid_at")[:60]
        if one.paid_at is not None
    ]
    lines += [
        HistoryLine(one.ended_at, one.trade.merchant.name, f"退款 {one.reason}", one.amount_fen)
        for one in refunds.order_by("-ended_at")[:60]
        if one.ended_at is not None
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:60]
