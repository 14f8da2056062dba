"""The vendor's books: append-only entries, their sums per merchant, and the rows behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import CharField, F, Q, Value

from sandbox.wechat_pay.models import BookEntry, Merchant, Order, Refund
from sandbox.world import clock
from sandbox.world.bookkeeping import NAMES, Books, Unfinished
from sandbox.world.registry import PAGE, Book

_BOOKS = Books(BookEntry, Merchant, "mchid")
entry_add = _BOOKS.add


def orders_open() -> Q:
    """Orders that may still move money: held, accepted, or payable through a living link."""
    waiting = Q(state__in=(Order.State.ACCEPT, Order.State.USERPAYING))
    return waiting | Q(state=Order.State.NOTPAY, link_until__gt=clock.now())


def books(start: datetime | None, end: datetime | None) -> dict[str, Book]:
    """Sums in [start, end) per merchant; `open` is of now, whatever the period."""
    refunds = Refund.objects.filter(status=Refund.Status.PROCESSING)
    unfinished = (
        Unfinished(Order.objects.filter(orders_open()), "merchant__mchid", "total_fen"),
        Unfinished(refunds, "merchant__mchid", "amount_fen"),
    )
    return _BOOKS.sums(start, end, unfinished)


def transactions(since: datetime | None, page: int) -> list[dict[str, Any]]:
    """Orders and refunds, oldest first, a page of them."""
    orders, refunds = Order.objects.all(), Refund.objects.all()
    if since:
        orders, refunds = (
            orders.filter(created_at__gte=since),
            refunds.filter(created_at__gte=since),
        )
    text = CharField()
    rows = orders.annotate(
        number=F("out_trade_no"), own=F("transaction_id"), kind=F("product"),
        seller=F("merchant__mchid"), state_now=F("state"), fen=F("total_fen"),
        above=Value("", output_field=text), at=F("paid_at"),
    ).values_list(*NAMES).union(
        refunds.annotate(
            number=F("out_refund_no"), own=F("refund_id"), kind=Value("refund", output_field=text),
            seller=F("merchant__mchid"), state_now=F("status"), fen=F("amount_fen"),
            above=F("order__out_trade_no"), at=F("ended_at"),
        ).values_list(*NAMES),
        all=True,
    ).order_by("created_at", "number")[(page - 1) * PAGE : page * PAGE]  # fmt: skip
    return _BOOKS.shown(rows)
