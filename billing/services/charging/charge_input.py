"""A charge as the HIS tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.idempotency import input_hash


@dataclass(frozen=True, slots=True)
class ChargeInput:
    """One priced line. `details` holds what is shown and sent on, never computed with."""

    charge_no: str
    item_code: str
    national_code: str
    item_name: str
    category: str
    amount_fen: int
    unit_price: Decimal
    quantity: Decimal
    ordered_at: datetime
    details: dict[str, Any]

    def content_hash(self) -> str:
        """Equal for equal content: 1 and 1.0 are one quantity, two zones may tell one instant."""
        return input_hash(
            [
                self.item_code,
                self.national_code,
                self.item_name,
                self.category,
                self.amount_fen,
                f"{self.unit_price:.6f}",
                f"{self.quantity:.4f}",
                f"{self.ordered_at.timestamp():.6f}",
                self.details,
            ]
        )

    def columns(self) -> dict[str, Any]:
        """What the charge's row holds of it."""
        return {
            "item_code": self.item_code,
            "national_code": self.national_code,
            "item_name": self.item_name,
            "category": self.category,
            "amount_fen": self.amount_fen,
            "unit_price": self.unit_price,
            "quantity": self.quantity,
            "details": self.details,
            "input_hash": self.content_hash(),
            "ordered_at": self.ordered_at,
        }
