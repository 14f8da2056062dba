"""What may stand in the hospital's file. Only the codes that name a row are always needed: a row
there already keeps what the file does not name, and a new one says itself what it lacks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import time
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from billing.his.authentication import SCOPES
from billing.his.fields import (
    CodeField,
    DayField,
    FenField,
    FlagField,
    PatternField,
    StrictSerializer,
    TextField,
    WholeField,
    WordField,
)
from core.errors import BadInput
from patients.models import CampusKind

CODE = r"[0-9A-Za-z_-]{1,32}"
TIMES_MAX = 10_000
SECRET_LENGTH_MAX = 64_000
MIDNIGHT = "24:00"


class NetworkField(TextField):
    """A network such as 10.1.0.0/16; bits beyond the prefix are a slip."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "network": _("A network is needed, such as 10.1.0.0/16.")
    }

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return str(ipaddress.ip_network(text))
        except ValueError:
            self.fail("network")


class HourField(PatternField):
    """An hour of the day, HH:MM; 24:00 is the midnight that ends it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00", **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        text = super().to_internal_value(data)
        return time(0) if text == MIDNIGHT else time.fromisoformat(text)


class SecretField(serializers.Field):  # type: ignore[type-arg]
    """A secret as it was fetched: any text, several lines of it too."""

    default_error_messages: ClassVar[dict[str, Any]] = {"not_text": _("A text is needed.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not 0 < len(data) <= SECRET_LENGTH_MAX:
            self.fail("not_text")
        return data


class CampusForm(StrictSerializer):
    code = PatternField(CODE)
    name = TextField(max_length=100, required=False)
    kind = WordField(CampusKind.values, required=False)
    institution_code = CodeField(length_max=32, required=False)
    window_text = TextField(max_length=200, required=False, allow_blank=True)
    phone = TextField(max_length=32, required=False, allow_blank=True)


class ClientForm(StrictSerializer):
    code = PatternField(CODE)
    name = TextField(max_length=100, required=False)
    token = SecretField(required=False)
    scopes = serializers.ListField(child=WordField(SCOPES), max_length=len(SCOPES), required=False)
    addresses = serializers.ListField(child=NetworkField(), max_length=100, required=False)
    campuses = serializers.ListField(child=PatternField(CODE), max_length=100, required=False)
    events_url = TextField(max_length=200, required=False, allow_blank=True)
    events_secret = SecretField(required=False)
    active = FlagField(required=False)


class InstitutionForm(StrictSerializer):
    code = PatternField(CODE)
    name = TextField(max_length=100, required=False)
    licence_no = CodeField(length_max=64, required=False)
    agreement_from = DayField(required=False)
    agreement_until = DayField(required=False)
    suspended = FlagField(required=False)


class PlanForm(StrictSerializer):
    plan_id = CodeField(length_max=32)
    name = TextField(max_length=100, required=False)
    single_fen = FenField(required=False)
    daily_fen = FenField(required=False)
    daily_count = WholeField(least=1, most=TIMES_MAX, required=False)
    hours_from = HourField(required=False)
    hours_until = HourField(required=False)
    offered = FlagField(required=False)

    def validate_plan_id(self, plan_id: str) -> str:
        """The adapter of Alipay speaks of periods (周期扣款); no bill has one to sign for."""
        if plan_id.startswith("cycle:"):
            raise serializers.ValidationError(_("A plan of deductions by period is not used."))
        return plan_id


class MerchantForm(StrictSerializer):
    channel = CodeField(length_max=20)
    merchant_no = PatternField(r"[0-9A-Za-z]{1,32}")
    institution = PatternField(CODE, required=False)
    campus = PatternField(CODE, required=False)
    app_id = CodeField(length_max=64, required=False)
    base_url = TextField(max_length=200, required=False)
    secrets = serializers.DictField(child=SecretField(), allow_empty=False, required=False)
    active = FlagField(required=False)
    plans = PlanForm(many=True, required=False)


class HospitalForm(StrictSerializer):
    campuses = CampusForm(many=True, required=False)
    his_clients = ClientForm(many=True, required=False)
    institutions = InstitutionForm(many=True, required=False)
    merchants = MerchantForm(many=True, required=False)


def hospital_form(data: Any) -> dict[str, list[dict[str, Any]]]:
    """The rows as the form reads them, or BadInput with everything that is wrong."""
    form = HospitalForm(data=data)
    if not form.is_valid():
        raise BadInput("bad_file", "\n".join(_faults(form.errors, "")))
    return {name: [dict(row) for row in rows] for name, rows in form.validated_data.items()}


def _faults(detail: Any, path: str) -> Iterator[str]:
    """Each sentence behind the place it is about: merchants[0].plans[1].daily_fen: …"""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            place = f"[{name}]" if isinstance(name, int) else f".{name}" if path else name
            yield from _faults(inner, f"{path}{place}")
    elif isinstance(detail, list) and any(isinstance(one, dict) for one in detail):
        for number, inner in enumerate(detail):
            yield from _faults(inner, f"{path}[{number}]")
    elif isinstance(detail, list):
        yield from (f"{path}: {sentence}" for sentence in detail)
