"""The hash of a caller's input: same meaning, same hash."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from core.idempotency import input_hash


def test_hash_is_of_the_meaning() -> None:
    same = input_hash({"b": [1, "二"], "a": Decimal("1.10"), "d": date(2026, 11, 20)})
    assert same == input_hash({"d": "2026-11-20", "a": "1.10", "b": (1, "二")})
    assert same != input_hash({"b": ["二", 1], "a": "1.10", "d": "2026-11-20"})


def test_a_number_that_is_none_has_no_hash() -> None:
    with pytest.raises(ValueError):
        input_hash({"a": float("nan")})
