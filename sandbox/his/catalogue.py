"""The forty charge items the console offers: real codes and names, see data/SOURCES.md."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path

ITEMS_FILE = Path(__file__).parent / "data" / "items.csv"
DRUG_CATEGORIES = frozenset({"09", "10", "11"})
FULL_SERVICE_CODE = 15


@dataclass(frozen=True)
class Item:
    code: str
    name: str
    unit: str
    unit_price: Decimal
    category: str

    @property
    def is_drug(self) -> bool:
        return self.category in DRUG_CATEGORIES

    @property
    def national_code(self) -> str:
        """Empty for the items of which only the 11-digit prefix is published."""
        return self.code if self.is_drug or len(self.code) == FULL_SERVICE_CODE else ""


@dataclass(frozen=True)
class Order:
    """One line of a visit: an item, how much of it, and by whom it is priced."""

    item: Item
    quantity: Decimal

    @property
    def amount_fen(self) -> int:
        fen = self.item.unit_price * self.quantity * 100
        return int(fen.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@cache
def items() -> tuple[Item, ...]:
    with ITEMS_FILE.open(encoding="utf8", newline="") as lines:
        return tuple(
            Item(
                code=row["code"],
                name=row["name"],
                unit=row["unit"],
                unit_price=Decimal(row["price_yuan"]),
                category=row["category"],
            )
            for row in csv.DictReader(lines)
        )


@cache
def items_by_code() -> dict[str, Item]:
    return {item.code: item for item in items()}
