"""Priced lines."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from billing.his.fields import (
    CodeField,
    ExactDecimalField,
    FenField,
    InstantField,
    NumberField,
    PatternField,
    StrictSerializer,
    TextField,
    WordField,
)
from billing.his.serializers.people import DoctorSerializer, OperatorSerializer, operator_of
from billing.models import ChargeItem
from billing.services.charging.charge_input import ChargeInput
from billing.services.charging.charges import CHARGES_MAX
from core.actors import Actor
from insurance.models import ItemCategory

TRACE_CODES_MAX = 200
_DETAILS = (
    "ordered_by",
    "ordering_department",
    "executing_department",
    "prescription_no",
    "order_no",
    "dose",
    "approval_flag",
    "trace_codes",
)


class ChargeContentSerializer(StrictSerializer):
    """`amount_fen` is authoritative; unit price × quantity only explains it."""

    item_code = CodeField(length_max=64)
    national_code = CodeField(length_max=64, required=False, allow_blank=True)
    item_name = TextField(max_length=200)
    category = WordField(ItemCategory.values, help_text="med_chrgitm_type")
    amount_fen = FenField()
    unit_price = ExactDecimalField(digits=10, places=6, positive=False)
    quantity = ExactDecimalField(digits=10, places=4, numbers=True)
    ordered_by = DoctorSerializer()
    ordering_department = CodeField(length_max=32)
    executing_department = CodeField(length_max=32)
    prescription_no = NumberField(required=False)
    order_no = NumberField(required=False)
    dose = TextField(max_length=100, required=False, allow_blank=True)
    approval_flag = PatternField("[0-9]", required=False)
    trace_codes = serializers.ListField(
        child=CodeField(length_max=64), max_length=TRACE_CODES_MAX, required=False
    )
    ordered_at = InstantField()
    operator = OperatorSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "prescription_no" not in attrs and "order_no" not in attrs:
            raise serializers.ValidationError(
                {"order_no": [_("Give prescription_no or order_no.")]}
            )
        return attrs


class ChargeSerializer(ChargeContentSerializer):
    """A charge put by its address; the number may be repeated in the body."""

    charge_no = NumberField(required=False)


class ListedChargeSerializer(ChargeContentSerializer):
    """A charge of a list."""

    charge_no = NumberField()


class ChargeAnswerSerializer(serializers.Serializer[Any]):
    charge_no = serializers.CharField()
    status = serializers.CharField()
    amount_fen = serializers.IntegerField()


class ChargePutAnswerSerializer(ChargeAnswerSerializer):
    warnings = serializers.ListField(child=serializers.CharField())


class ChargesAnswerSerializer(serializers.Serializer[Any]):
    charges = ChargeAnswerSerializer(many=True)
    warnings = serializers.ListField(child=serializers.CharField())


def charge_input(data: dict[str, Any], charge_no: str) -> ChargeInput:
    return ChargeInput(
        charge_no=charge_no,
        item_code=data["item_code"],
        national_code=data.get("national_code", ""),
        item_name=data["item_name"],
        category=data["category"],
        amount_fen=data["amount_fen"],
        unit_price=data["unit_price"],
        quantity=data["quantity"],
        ordered_at=data["ordered_at"],
        details={name: data[name] for name in _DETAILS if data.get(name)},
    )


def operators_of(charges: dict[str, dict[str, Any]]) -> dict[str, Actor]:
    """Who put which charge, by its number, where the HIS says so."""
    return {number: operator_of(data) for number, data in charges.items() if "operator" in data}


def charges_list(raw: Any) -> tuple[list[ChargeInput], dict[str, Actor]]:
    """A bare array, checked as a whole, and who put them; the errors name place and field."""
    if not isinstance(raw, list):
        raise serializers.ValidationError([_("A list of charges is needed.")])
    if not raw:
        raise serializers.ValidationError([_("The list is empty.")])
    if len(raw) > CHARGES_MAX:
        raise serializers.ValidationError([_("At most 1,000 charges in one call.")])
    one = ListedChargeSerializer()
    inputs: list[ChargeInput] = []
    checked: dict[str, dict[str, Any]] = {}
    errors: dict[int, Any] = {}
    for position, item in enumerate(raw):
        try:
            data = one.run_validation(item)
        except serializers.ValidationError as error:
            errors[position] = error.detail
            continue
        inputs.append(charge_input(data, data["charge_no"]))
        checked[data["charge_no"]] = data
    if errors:
        raise serializers.ValidationError(errors)  # type: ignore[arg-type]
    return inputs, operators_of(checked)


def charge_answer(row: ChargeItem) -> dict[str, Any]:
    return {"charge_no": row.charge_no, "status": row.status, "amount_fen": row.amount_fen}
