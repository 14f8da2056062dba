"""The README's feature table and the table of requirements say the same of every number."""

from __future__ import annotations

import re

from tests.conftest import ROOT

STATES = ("working", "in part", "not yet")
ROW = re.compile(r"^\| ((?:[WFCSZ]\d+ ?)+)\| .* \| (.*) \|$", re.MULTILINE)


def states_in(path: str) -> dict[str, str]:
    """Requirement number → its state, without what is said beside it."""
    found: dict[str, str] = {}
    for numbers, told in ROW.findall((ROOT / path).read_text(encoding="utf8")):
        (state,) = (one for one in STATES if told.startswith(one))
        for number in numbers.split():
            assert number not in found, f"{path} names {number} twice"
            found[number] = state
    return found


def test_both_tables_say_the_same_of_every_number() -> None:
    required = states_in("docs/requirements.md")
    assert len(required) == 37
    assert states_in("README.md") == required
