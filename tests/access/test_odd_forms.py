"""Any field of any form, typed oddly: never a fault of ours, whoever sends it and how often."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.access.matrix import Row, rows
from tests.access.payloads import payload
from tests.access.roles import Asker, answer_text, askers, rolled_back
from tests.access.routes import address
from tests.access.world import World, world

# Who may do the most on each side.
ASKERS = {"portal": ("owner", "nobody"), "desk": ("admin",)}
ODD = {
    "a NUL": "\0",
    "a control character": "1\x1b[2J",
    "long": "长" * 5_000,
    "digits of another script": "١٢٣",
    "a number too large": "9" * 40,
    "below zero": "-1",
    "an answer that is none": "<b>{{ 7*7 }}</b>",
}


@pytest.mark.django_db
@pytest.mark.parametrize("part", ASKERS)
def test_no_odd_field_breaks_a_page(part: str) -> None:
    made = world()
    people = askers(made, ASKERS[part])
    broken: list[str] = []
    asked = 0
    forms = {row.route: row for row in reversed(rows(part)) if row.method == "POST"}
    for row in forms.values():
        for asker in people.values():
            for what, field, sent in _odd(made, row, asker):
                path = address(row.route, made.things[row.thing] if row.thing else {})
                with rolled_back():
                    said = answer_text(asker.ask(row.method, path, sent))
                asked += 1
                if said[0] == "5" and said != row.answers[asker.role]:
                    broken.append(f"{row} {asker.role}: {field} is {what}: {said}")
    assert asked > 100
    assert broken == []


def _odd(made: World, row: Row, asker: Asker) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What the page itself would send, with one field after another gone odd."""
    sent = payload(row.method, row.route, made.things[row.thing] if row.thing else {}, asker)
    if not isinstance(sent, dict):
        return
    for field in sent:
        for what, value in ODD.items():
            yield what, field, sent | {field: value}
            yield f"{what} after what is right", field, sent | {field: f"{sent[field]}{value}"}
