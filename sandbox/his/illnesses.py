"""With what a patient comes, and to which department: real codes and names, see data/SOURCES.md."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "data" / "diagnoses.csv"


@dataclass(frozen=True)
class Illness:
    code: str
    name: str
    department_code: str
    department_name: str


@cache
def illnesses() -> tuple[Illness, ...]:
    with FILE.open(encoding="utf8", newline="") as lines:
        return tuple(
            Illness(row["code"], row["name"], row["department_code"], row["department_name"])
            for row in csv.DictReader(lines)
        )


def illness_of(mrn: str) -> Illness:
    """A person keeps coming with the same, so that a visit sent again says what it said before."""
    number = int.from_bytes(hashlib.sha256(mrn.encode()).digest()[:8], "big")
    known = illnesses()
    return known[number % len(known)]
