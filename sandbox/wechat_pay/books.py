"""The vendor's books: append-only entries, their sums per merchant, and the rows behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, F, Q, Sum, Value, When

from sandbox.wechat_pay.models import BookEntry, Merchant, Order, Refund
from sandbox.world import clock
from sandbox.world.models import Notice
from sandbox.world.registry import PAGE, Book


def entry_add(
    merchant: Merchant,
    kind: BookEntry.Kind,
    amount_fen: int,
    *,
    number: str,
    own_number: str,
    parent: str = "",
) -> None:
    """Write one line into the books, in the transaction of what it tells about."""
    BookEntry.objects.create(
        merchant=merchant,
        kind=kind,
        amount_fen=amount_fen,
        number=number,
        own_number=own_number,
        parent=parent,
        occurred_at=clock.now(),
    )


def orders_open() -> Q:
    """Orders that may still move money: held, accepted, or payable through a living link."""
    waiting = Q(state__in=(Order.State.ACCEPT, Order.State.USERPAYING))
    return waiting | Q(state=Order.State.NOTPAY, link_until__gt=clock.now())


def books(start: datetime | None, end: datetime | None) -> dict[str, Book]:
    """Sums in [start, end) per merchant; `open` is of now, whatever the period."""
    entries = BookEntry.objects.all()
    if start:
        entries = entries.filter(occurred_at__gte=start)
    if end:
        entries = entries.filter(occurred_at__lt=end)
    kinds = [*BookEntry.Kind.values, "open"]
    out: dict[str, Book] = {
        mchid: {kind: {"count": 0, "fen": 0} for kind in kinds}
        for mchid in Merchant.objects.order_by("mchid").values_list("mchid", flat=True)
    }
    sums = entries.values("merchant__mchid", "kind").annotate(n=Count("id"), s=Sum("amount_fen"))
    for row in sums.order_by():
        out[row["merchant__mchid"]][row["kind"]] = {"count": row["n"], "fen": row["s"]}
    orders = Order.objects.filter(orders_open()).values("merchant__mchid")
    refunds = Refund.objects.filter(status=Refund.Status.PROCESSING).values("merchant__mchid")
    still = [
        *orders.annotate(n=Count("id"), s=Sum("total_fen")).order_by(),
        *refunds.annotate(n=Count("id"), s=Sum("amount_fen")).order_by(),
    ]
    for unfinished in still:
        book = out[unfinished["merchant__mchid"]]["open"]
        book["count"] += unfinished["n"]
        book["fen"] += unfinished["s"]
    return out


def moved_by_number(numbers: list[str]) -> dict[tuple[str, str], int]:
    """What each number has moved by the books, in fen: in > 0 > out; what was undone is 0."""
    came_in = (BookEntry.Kind.CAPTURED, BookEntry.Kind.RETURNED)
    signed = Case(When(kind__in=came_in, then=F("amount_fen")), default=-F("amount_fen"))
    entries = BookEntry.objects.filter(number__in=numbers).values("merchant__mchid", "number")
    return {
        (row["merchant__mchid"], row["number"]): row["fen"]
        for row in entries.annotate(fen=Sum(signed)).order_by()
    }


def transactions(since: datetime | None, page: int) -> list[dict[str, Any]]:
    """Orders and refunds, oldest first, a page of them."""
    orders, refunds = Order.objects.all(), Refund.objects.all()
    if since:
        orders, refunds = (
            orders.filter(created_at__gte=since),
            refunds.filter(created_at__gte=since),
        )
    names = ("created_at", "number", "own", "kind", "mchid", "state_now", "fen", "above", "at")
    text = CharField()
    rows = orders.annotate(
        number=F("out_trade_no"), own=F("transaction_id"), kind=F("product"),
        mchid=F("merchant__mchid"), state_now=F("state"), fen=F("total_fen"),
        above=Value("", output_field=text), at=F("paid_at"),
    ).values_list(*names).union(
        refunds.annotate(
            number=F("out_refund_no"), own=F("refund_id"), kind=Value("refund", output_field=text),
            mchid=F("merchant__mchid"), state_now=F("status"), fen=F("amount_fen"),
            above=F("order__out_trade_no"), at=F("ended_at"),
        ).values_list(*names),
        all=True,
    ).order_by("created_at", "number")[(page - 1) * PAGE : page * PAGE]  # fmt: skip
    listed = [dict(zip(names, row, strict=True)) for row in rows]
    moved = moved_by_number([row["number"] for row in listed])
    sent = dict(
        Notice.objects.filter(number__in=[row["number"] for row in listed])
        .values_list("number")
        .annotate(n=Sum("attempts"))
        .order_by()
    )
    return [
        {
            "number": row["number"],
            "own_number": row["own"],
            "merchant": row["mchid"],
            "kind": row["kind"],
            "status": row["state_now"],
            "amount_fen": row["fen"],
            "moved_fen": moved.get((row["mchid"], row["number"]), 0),
            "parent": row["above"],
            "notices_sent": sent.get(row["number"], 0),
            "created_at": row["created_at"].astimezone(clock.SHANGHAI).isoformat(),
            "occurred_at": row["at"].astimezone(clock.SHANGHAI).isoformat() if row["at"] else None,
        }
        for row in listed
    ]
