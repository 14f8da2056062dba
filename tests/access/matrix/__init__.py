"""The table: what every address answers every role, a row for each method and thing.

`answers` names each role of the part once: `200 owner viewer; 404 stranger`. `writes` names the
roles after whose request a row of the house differs. A part is a file.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from tests.access.roles import ROLES, SHORT

HERE = Path(__file__).parent
PARTS = ("portal", "desk", "admin", "api")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a part."""

    method: str
    route: str
    thing: str
    answers: dict[str, str]
    writes: frozenset[str]

    def __str__(self) -> str:
        return f"{self.method} {self.route} {self.thing}".strip()


def rows(part: str) -> list[Row]:
    with (HERE / f"{part}.csv").open(encoding="utf8", newline="") as file:
        return [_row(part, line) for line in csv.DictReader(file)]


def _row(part: str, line: dict[str, str]) -> Row:
    answers: dict[str, str] = {}
    for group in line["answers"].split(";"):
        answer, *names = group.split()
        for role in _roles(part, names):
            assert role not in answers, f"{role} twice: {line}"
            answers[role] = answer
    assert answers.keys() == set(ROLES[part]), f"not every role once: {line}"
    writes = frozenset(_roles(part, line["writes"].split()))
    return Row(line["method"], line["route"], line["thing"], answers, writes)


def _roles(part: str, names: list[str]) -> list[str]:
    known: list[str] = []
    for name in names:
        group = ROLES[part] if name == "all" else SHORT.get(name, (name,))
        known += [role for role in group if role in ROLES[part]]
    return known
