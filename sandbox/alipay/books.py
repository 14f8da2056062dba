"""The vendor's books: append-only entries, their sums per merchant, and the rows behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import CharField, F, Q, Value

from sandbox.alipay.models import BookEntry, Merchant, Refund, Trade, Transfer
from sandbox.world import clock
from sandbox.world.bookkeeping import NAMES, Books, Unfinished
from sandbox.world.registry import PAGE, Book

_BOOKS = Books(BookEntry, Merchant, "pid")
entry_add = _BOOKS.add


def trades_open() -> Q:
    """Trades that may still move money: waiting, or offered by a code or link that still works."""
    living = Q(expires_at__gt=clock.now())
    waiting = Q(state=Trade.State.WAIT_BUYER_PAY) & (living | ~Q(held=""))
    return waiting | Q(state=Trade.State.OFFERED) & living


def books(start: datetime | None, end: datetime | None) -> dict[str, Book]:
    """Sums in [start, end) per merchant; `open` is of now, whatever the period."""
    refunds = Refund.objects.filter(status=Refund.Status.PROCESSING)
    transfers = Transfer.objects.filter(status=Transfer.Status.DEALING)
    unfinished = (
        Unfinished(Trade.objects.filter(trades_open()), "merchant__pid", "total_fen"),
        Unfinished(refunds, "trade__merchant__pid", "amount_fen"),
        Unfinished(transfers, "merchant__pid", "amount_fen"),
    )
    return _BOOKS.sums(start, end, unfinished)


def transactions(since: datetime | None, page: int) -> list[dict[str, Any]]:
    """Trades, refunds and transfers, oldest first, a page of them."""
    trades, refunds, transfers = Trade.objects.all(), Refund.objects.all(), Transfer.objects.all()
    if since:
        trades = trades.filter(created_at__gte=since)
        refunds = refunds.filter(created_at__gte=since)
        transfers = transfers.filter(created_at__gte=since)
    text = CharField()
    rows = trades.annotate(
        number=F("out_trade_no"), own=F("trade_no"), kind=F("product"), seller=F("merchant__pid"),
        state_now=F("state"), fen=F("total_fen"), above=Value("", output_field=text),
        at=F("paid_at"),
    ).values_list(*NAMES).union(
        refunds.annotate(
            number=F("out_request_no"), own=F("trade__trade_no"),
            kind=Value("refund", output_field=text), seller=F("trade__merchant__pid"),
            state_now=F("status"), fen=F("amount_fen"), above=F("trade__out_trade_no"),
            at=F("ended_at"),
        ).values_list(*NAMES),
        transfers.annotate(
            number=F("out_biz_no"), own=F("order_id"),
            kind=Value("transfer", output_field=text), seller=F("merchant__pid"),
            state_now=F("status"), fen=F("amount_fen"), above=Value("", output_field=text),
            at=F("ended_at"),
        ).values_list(*NAMES),
        all=True,
    ).order_by("created_at", "number")[(page - 1) * PAGE : page * PAGE]  # fmt: skip
    return _BOOKS.shown(rows)
