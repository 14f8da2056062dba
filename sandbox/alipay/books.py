"""The vendor's books: append-only entries, their sums per merchant, and the rows behind them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, F, Q, Sum, Value, When

from sandbox.alipay.models import BookEntry, Merchant, Refund, Trade, Transfer
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


def trades_open() -> Q:
    """Trades that may still move money: waiting, or offered by a code or link that still works."""
    living = Q(expires_at__gt=clock.now())
    waiting = Q(state=Trade.State.WAIT_BUYER_PAY) & (living | ~Q(held=""))
    return waiting | Q(state=Trade.State.OFFERED) & living


def books(start: datetime | None, end: datetime | None) -> dict[str, Book]:
    """Sums in [start, end) per merchant; `open` is of now, whatever the period."""
    entries = BookEntry.objects.all()
    if start:
        entries = entries.filter(occurred_at__gte=start)
    if end:
        entries = entries.filter(occurred_at__lt=end)
    kinds = [*BookEntry.Kind.values, "open"]
    out: dict[str, Book] = {
        pid: {kind: {"count": 0, "fen": 0} for kind in kinds}
        for pid in Merchant.objects.order_by("pid").values_list("pid", flat=True)
    }
    sums = entries.values("merchant__pid", "kind").annotate(n=Count("id"), s=Sum("amount_fen"))
    for row in sums.order_by():
        out[row["merchant__pid"]][row["kind"]] = {"count": row["n"], "fen": row["s"]}
    for pid, count, fen in _unfinished():
        book = out[pid]["open"]
        book["count"] += count
        book["fen"] += fen
    return out


def _unfinished() -> list[tuple[str, int, int]]:
    """Seller, count and fen of what may still move money, of each kind."""
    rows = (
        (Trade.objects.filter(trades_open()), "merchant__pid", "total_fen"),
        (
            Refund.objects.filter(status=Refund.Status.PROCESSING),
            "trade__merchant__pid",
            "amount_fen",
        ),
        (Transfer.objects.filter(status=Transfer.Status.DEALING), "merchant__pid", "amount_fen"),
    )
    return [
        (found["pid"], found["n"], found["s"])
        for open_rows, pid, fen in rows
        for found in open_rows.values(pid=F(pid)).annotate(n=Count("id"), s=Sum(fen)).order_by()
    ]


def moved_by_number(numbers: list[str]) -> dict[tuple[str, str], int]:
    """What each number has moved by the books, in fen: in > 0 > out; what was undone is 0."""
    came_in = (BookEntry.Kind.CAPTURED, BookEntry.Kind.RETURNED)
    signed = Case(When(kind__in=came_in, then=F("amount_fen")), default=-F("amount_fen"))
    entries = BookEntry.objects.filter(number__in=numbers).values("merchant__pid", "number")
    return {
        (row["merchant__pid"], row["number"]): row["fen"]
        for row in entries.annotate(fen=Sum(signed)).order_by()
    }


NAMES = ("created_at", "number", "own", "kind", "pid", "state_now", "fen", "above", "at")


def transactions(since: datetime | None, page: int) -> list[dict[str, Any]]:
    """Trades, refunds and transfers, oldest first, a page of them."""
    trades, refunds, transfers = Trade.objects.all(), Refund.objects.all(), Transfer.objects.all()
    if since:
        trades = trades.filter(created_at__gte=since)
        refunds = refunds.filter(created_at__gte=since)
        transfers = transfers.filter(created_at__gte=since)
    text = CharField()
    rows = trades.annotate(
        number=F("out_trade_no"), own=F("trade_no"), kind=F("product"), pid=F("merchant__pid"),
        state_now=F("state"), fen=F("total_fen"), above=Value("", output_field=text),
        at=F("paid_at"),
    ).values_list(*NAMES).union(
        refunds.annotate(
            number=F("out_request_no"), own=F("trade__trade_no"),
            kind=Value("refund", output_field=text), pid=F("trade__merchant__pid"),
            state_now=F("status"), fen=F("amount_fen"), above=F("trade__out_trade_no"),
            at=F("ended_at"),
        ).values_list(*NAMES),
        transfers.annotate(
            number=F("out_biz_no"), own=F("order_id"),
            kind=Value("transfer", output_field=text), pid=F("merchant__pid"),
            state_now=F("status"), fen=F("amount_fen"), above=Value("", output_field=text),
            at=F("ended_at"),
        ).values_list(*NAMES),
        all=True,
    ).order_by("created_at", "number")[(page - 1) * PAGE : page * PAGE]  # fmt: skip
    listed = [dict(zip(NAMES, row, strict=True)) for row in rows]
    moved = moved_by_number([row["number"] for row in listed])
    sent = dict(
        Notice.objects.filter(number__in=[row["number"] for row in listed])
        .values_list("number")
        .annotate(n=Sum("attempts"))
        .order_by()
    )
    return [
        _shown(row, sent.get(row["number"], 0), moved.get((row["pid"], row["number"]), 0))
        for row in listed
    ]


def _shown(row: dict[str, Any], sent: int, moved_fen: int) -> dict[str, Any]:
    return {
        "number": row["number"],
        "own_number": row["own"],
        "merchant": row["pid"],
        "kind": row["kind"],
        "status": row["state_now"],
        "amount_fen": row["fen"],
        "moved_fen": moved_fen,
        "parent": row["above"],
        "notices_sent": sent,
        "created_at": row["created_at"].astimezone(clock.SHANGHAI).isoformat(),
        "occurred_at": row["at"].astimezone(clock.SHANGHAI).isoformat() if row["at"] else None,
    }
