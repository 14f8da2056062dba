"""What the books of two wallets have in common: their entries, the sums, the rows as shown.

Each vendor keeps entries of its own and numbers its merchants in a field of its own (`number`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Case, Count, F, Model, QuerySet, Sum, When

from sandbox.world import clock
from sandbox.world.models import Notice
from sandbox.world.registry import Book

# What a vendor selects of its rows before they are shown.
NAMES = ("created_at", "number", "own", "kind", "seller", "state_now", "fen", "above", "at")


class Entry(models.Model):
    """One line of a vendor's books; only ever added. The vendor's own adds its `merchant`."""

    class Kind(models.TextChoices):
        CAPTURED = "captured"
        REFUNDED = "refunded"
        REVERSED = "reversed"
        TRANSFERRED = "transferred"
        RETURNED = "returned"
        FEES = "fees"
        REMITTED = "remitted"

    kind = models.CharField(max_length=12, choices=Kind)
    amount_fen = models.BigIntegerField()
    number = models.CharField(max_length=64)
    own_number = models.CharField(max_length=64)
    parent = models.CharField(max_length=64, blank=True)
    occurred_at = models.DateTimeField(db_index=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_fen}"


@dataclass(frozen=True)
class Unfinished:
    """Rows that may still move money, and where they name merchant and amount."""

    rows: QuerySet[Any]
    merchant: str
    fen: str


@dataclass(frozen=True)
class Books:
    entries: type[Entry]
    merchants: type[Model]
    number: str

    def add(
        self,
        merchant: Model,
        kind: Entry.Kind,
        amount_fen: int,
        *,
        number: str,
        own_number: str,
        parent: str = "",
    ) -> None:
        """Write one line into the books, in the transaction of what it tells about."""
        line: dict[str, Any] = {"merchant": merchant, "kind": kind, "amount_fen": amount_fen}
        line |= {"number": number, "own_number": own_number, "parent": parent}
        self.entries._default_manager.create(**line, occurred_at=clock.now())

    def sums(
        self, start: datetime | None, end: datetime | None, unfinished: Iterable[Unfinished]
    ) -> dict[str, Book]:
        """Sums in [start, end) per merchant; `open` is of now, whatever the period."""
        entries = self.entries._default_manager.all()
        if start:
            entries = entries.filter(occurred_at__gte=start)
        if end:
            entries = entries.filter(occurred_at__lt=end)
        kinds = [*Entry.Kind.values, "open"]
        sellers = self.merchants._default_manager.order_by(self.number)
        out: dict[str, Book] = {
            seller: {kind: {"count": 0, "fen": 0} for kind in kinds}
            for seller in sellers.values_list(self.number, flat=True)
        }
        for row in _summed(entries, f"merchant__{self.number}", "amount_fen", "kind"):
            out[row["seller"]][row["kind"]] = {"count": row["n"], "fen": row["s"]}
        for one in unfinished:
            for row in _summed(one.rows, one.merchant, one.fen):
                book = out[row["seller"]]["open"]
                book["count"] += row["n"]
                book["fen"] += row["s"]
        return out

    def moved(self, numbers: list[str]) -> dict[tuple[str, str], int]:
        """What each number has moved by the books, in fen: in > 0 > out; what was undone is 0."""
        came_in = (Entry.Kind.CAPTURED, Entry.Kind.RETURNED)
        signed = Case(When(kind__in=came_in, then=F("amount_fen")), default=-F("amount_fen"))
        entries = self.entries._default_manager.filter(number__in=numbers)
        named = entries.values("number", seller=F(f"merchant__{self.number}"))
        return {
            (row["seller"], row["number"]): row["fen"]
            for row in named.annotate(fen=Sum(signed)).order_by()
        }

    def shown(self, rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
        """Rows of `NAMES` as the control call answers them."""
        listed = [dict(zip(NAMES, row, strict=True)) for row in rows]
        numbers = [row["number"] for row in listed]
        moved = self.moved(numbers)
        sent = dict(
            Notice.objects.filter(number__in=numbers)
            .values_list("number")
            .annotate(n=Sum("attempts"))
            .order_by()
        )
        return [
            {
                "number": row["number"],
                "own_number": row["own"],
                "merchant": row["seller"],
                "kind": row["kind"],
                "status": row["state_now"],
                "amount_fen": row["fen"],
                "moved_fen": moved.get((row["seller"], row["number"]), 0),
                "parent": row["above"],
                "notices_sent": sent.get(row["number"], 0),
                "created_at": _written(row["created_at"]),
                "occurred_at": _written(row["at"]) if row["at"] else None,
            }
            for row in listed
        ]


def _summed(rows: QuerySet[Any], merchant: str, fen: str, *by: str) -> QuerySet[Any]:
    """Count and fen of the rows by seller, and by what else is named."""
    sellers = rows.values(*by, seller=F(merchant))
    found: QuerySet[Any] = sellers.annotate(n=Count("id"), s=Sum(fen)).order_by()
    return found


def _written(at: datetime) -> str:
    return at.astimezone(clock.SHANGHAI).isoformat()
