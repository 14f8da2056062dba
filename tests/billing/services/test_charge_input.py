"""What is the same charge: equal content has an equal hash, whatever its spelling."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import ChargeItem
from billing.services.charging.charge_input import ChargeInput
from core import clock

ORDERED_AT = datetime(2026, 11, 20, 9, 30, tzinfo=clock.ZONE)


def told(**changed: Any) -> ChargeInput:
    usual = ChargeInput(
        charge_no="C-1",
        item_code="001102000010000",
        national_code="001102000010000-1",
        item_name="普通门诊诊查费",
        category="02",
        amount_fen=1_250,
        unit_price=Decimal("12.5"),
        quantity=Decimal(1),
        ordered_at=ORDERED_AT,
        details={"ordered_by": {"code": "D001"}, "order_no": "O1"},
    )
    return dataclasses.replace(usual, **changed)


@pytest.mark.parametrize(
    "same",
    [
        {"unit_price": Decimal("12.500000")},
        {"unit_price": Decimal("1.25E+1")},
        {"quantity": Decimal("1.0000")},
        {"ordered_at": ORDERED_AT.astimezone(UTC)},
        {"details": {"order_no": "O1", "ordered_by": {"code": "D001"}}},
        {"charge_no": "C-2"},  # the number is the row's name, not its content
    ],
)
def test_the_same_content_in_another_spelling(same: dict[str, Any]) -> None:
    assert told(**same).content_hash() == told().content_hash()


@pytest.mark.parametrize(
    "other",
    [
        {"amount_fen": 1_251},
        {"unit_price": Decimal("12.500001")},
        {"quantity": Decimal("1.0001")},
        {"ordered_at": ORDERED_AT + timedelta(microseconds=1)},
        {"item_code": "x"},
        {"national_code": "x"},
        {"item_name": "x"},
        {"category": "03"},
        {"details": {}},
        {"details": {"ordered_by": {"code": "D002"}, "order_no": "O1"}},
    ],
)
def test_other_content(other: dict[str, Any]) -> None:
    assert told(**other).content_hash() != told().content_hash()


def test_a_field_does_not_run_into_its_neighbour() -> None:
    one = told(item_code="12", national_code="3")
    two = told(item_code="1", national_code="23")
    assert one.content_hash() != two.content_hash()


def test_the_columns_are_the_content_and_its_hash() -> None:
    columns = told().columns()
    fields = {field.name for field in ChargeItem._meta.concrete_fields}
    assert set(columns) < fields
    assert set(columns) == {f.name for f in dataclasses.fields(ChargeInput)} - {"charge_no"} | {
        "input_hash"
    }
    assert (columns["amount_fen"], columns["quantity"]) == (1_250, Decimal(1))
    assert columns["input_hash"] == told().content_hash()
