"""The table for people and the JSON for machines."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Case:
    """One measured figure. `ratio` is the floor's time ÷ ours: higher is better, 1 is the floor.

    For a peer the floor is the peer. `target` stands only where the project promises something.
    """

    name: str
    value: float | None
    unit: str
    floor: float | None = None
    ratio: float | None = None
    target: float | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.target is None or self.ratio is None:
            return ""
        return "ok" if self.ratio >= self.target else "miss"


def report_write(cases: list[Case], path: Path, *, keep: bool) -> None:
    """`keep`: figures of other runs that this one did not measure stay in the file."""
    known = json.loads(path.read_text()) if keep and path.exists() else {}
    known.update({case.name: _data(case) for case in cases})
    path.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
    table = Table()
    for title in ("case", "value", "unit", "floor", "ratio", "target", "", "note"):
        table.add_column(title, justify="left" if title in {"case", "unit", "note"} else "right")
    for case in cases:
        numbers = [_number(case.value), case.unit, _number(case.floor), _number(case.ratio)]
        table.add_row(case.name, *numbers, _number(case.target), case.verdict, case.note)
    Console(width=None if Console().is_terminal else 140).print(table)


def _data(case: Case) -> dict[str, Any]:
    data: dict[str, Any] = {
        "value": _rounded(case.value),
        "unit": case.unit,
        "floor": _rounded(case.floor),
        "ratio": _rounded(case.ratio),
    }
    if case.target is not None:
        data["target"] = case.target
    if case.note:
        data["note"] = case.note
    return {**data, **case.extra}


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
