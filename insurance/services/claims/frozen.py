"""Lines and settlements as a claim keeps them: frozen to JSON and read back unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from core import clock
from insurance.gateway.claim_values import (
    ChargeLine,
    FundKind,
    FundParts,
    FundRow,
    LineLevel,
    LineResult,
    Scope,
    Settlement,
    Split,
)
from insurance.gateway.visit_values import Scheme
from insurance.models import ClaimLine

# The number is the claim's own; the charge's stands in a column.
_LINE = [one.name for one in fields(ChargeLine) if one.name != "number"]


def line_frozen(line: ChargeLine) -> dict[str, Any]:
    """A line as billing handed it down."""
    return {name: getattr(line, name) for name in _LINE} | {
        "quantity": str(line.quantity),
        "unit_price": str(line.unit_price),
        "ordered_at": line.ordered_at.isoformat(),
    }


def line_thawed(row: ClaimLine) -> ChargeLine:
    """The same line under the number the insurer knows it by."""
    said: Mapping[str, Any] = row.said
    return ChargeLine(
        **(
            dict(said)
            | {
                "number": row.number,
                "quantity": Decimal(said["quantity"]),
                "unit_price": Decimal(said["unit_price"]),
                "ordered_at": datetime.fromisoformat(said["ordered_at"]).astimezone(clock.ZONE),
            }
        )
    )


def result_thawed(row: ClaimLine) -> LineResult | None:
    """What the insurer made of a line; None before it said so."""
    if row.in_scope_fen is None:
        return None
    return LineResult(
        number=row.number,
        amount_fen=row.amount_fen,
        own_fen=row.own_fen or 0,
        over_limit_fen=row.over_limit_fen or 0,
        first_own_fen=row.first_own_fen or 0,
        in_scope_fen=row.in_scope_fen,
        level=LineLevel(row.level) if row.level else None,
        category=str(row.said["category"]),
        own_share=row.own_share,
        price_limit=row.price_limit,
        limited_use=row.limited_use,
    )


def settlement_frozen(said: Settlement) -> dict[str, Any]:
    """A settlement without the person, who stands in the coverage, encrypted."""
    frozen = asdict(said)
    del frozen["person_no"]
    frozen["fund_ratio"] = None if said.fund_ratio is None else str(said.fund_ratio)
    frozen["settled_at"] = None if said.settled_at is None else said.settled_at.isoformat()
    return frozen


def settlement_thawed(frozen: Mapping[str, Any], *, person_no: str) -> Settlement:
    """The settlement again, for the mirror that a reversal must be."""
    ratio, at = frozen["fund_ratio"], frozen["settled_at"]
    return Settlement(
        **(
            dict(frozen)
            | {
                "person_no": person_no,
                "split": Split(**frozen["split"]),
                "scope": Scope(**frozen["scope"]),
                "fund": FundParts(**frozen["fund"]),
                "rows": tuple(
                    FundRow(**(row | {"kind": FundKind(row["kind"])})) for row in frozen["rows"]
                ),
                "scheme": Scheme(frozen["scheme"]),
                "fund_ratio": None if ratio is None else Decimal(ratio),
                "settled_at": None if at is None else datetime.fromisoformat(at),
            }
        )
    )
