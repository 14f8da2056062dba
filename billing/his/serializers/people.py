"""Patients and visits."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from billing.his.fields import (
    CodeField,
    DayField,
    FlagField,
    InstantField,
    NumberField,
    PatternField,
    StrictSerializer,
    TextField,
    WordField,
)
from billing.services.insuring.proofs import ProofKind
from core.actors import Actor
from core.idempotency import input_hash
from patients.models import EncounterKind, IdType, Sex
from patients.services.encounters import EncounterInput
from patients.services.patients import PatientInput

DIAGNOSES_MAX = 50


class OperatorSerializer(StrictSerializer):
    """Whoever did it at the hospital's own system."""

    code = CodeField(length_max=64)
    name = TextField(max_length=100)


class GuardianSerializer(StrictSerializer):
    mrn = NumberField()


class PatientSerializer(StrictSerializer):
    name = TextField(max_length=100)
    id_type = WordField(IdType.values)
    id_number = TextField(max_length=40, required=False, allow_blank=True, allow_null=True)
    birth_date = DayField(required=False, allow_null=True)
    sex = WordField(Sex.values)
    phone = TextField(max_length=24)
    guardian = GuardianSerializer(required=False, allow_null=True)
    operator = OperatorSerializer(required=False)


class DepartmentSerializer(StrictSerializer):
    code = CodeField(length_max=32)
    name = TextField(max_length=100)


class DoctorSerializer(StrictSerializer):
    code = CodeField(length_max=32)
    national_code = CodeField(length_max=32, required=False, allow_blank=True)
    name = TextField(max_length=100, required=False, allow_blank=True)


class DiagnosisSerializer(StrictSerializer):
    code = TextField(max_length=32)
    name = TextField(max_length=200)
    main = FlagField()


class CredentialSerializer(StrictSerializer):
    """An insurance credential of the visit (电子凭证, 一码付 or card).

    A one_code or the number of a face terminal is read at the insurer; a token or a card number was
    read by the HIS, and whose it is the insurer says when the first bill is priced.
    """

    type = WordField([kind.value for kind in ProofKind])
    value = PatternField("[!-~]{1,128}")
    serial = PatternField("[!-~]{1,32}", required=False, help_text="of a social_card")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["type"] == ProofKind.SOCIAL_CARD and not attrs.get("serial"):
            raise serializers.ValidationError(
                {"serial": [_("A social security card is named with its serial.")]}
            )
        return attrs


class EncounterSerializer(StrictSerializer):
    mrn = NumberField(required=False)
    card_no = NumberField(required=False)
    kind = WordField(EncounterKind.values)
    campus = CodeField(length_max=32)
    department = DepartmentSerializer()
    doctor = DoctorSerializer()
    started_at = InstantField()
    diagnoses = serializers.ListField(child=DiagnosisSerializer(), max_length=DIAGNOSES_MAX)
    med_type = PatternField("[0-9]{1,6}")
    disease_code = TextField(max_length=32, required=False, allow_blank=True)
    mdtrt_id = CodeField(length_max=32, required=False, allow_blank=True)
    credential = CredentialSerializer(
        required=False, help_text="Insures the visit; without one the patient shows the code."
    )
    self_pay = FlagField(
        required=False, help_text="The patient asked not to use insurance; needs operator."
    )
    operator = OperatorSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("mrn" in attrs) == ("card_no" in attrs):
            raise serializers.ValidationError({"mrn": [_("Give either mrn or card_no.")]})
        if sum(one["main"] for one in attrs["diagnoses"]) > 1:
            raise serializers.ValidationError(
                {"diagnoses": [_("Only one diagnosis is the main one.")]}
            )
        return attrs


class CloseSerializer(StrictSerializer):
    """For an inpatient this is the discharge."""

    diagnoses = serializers.ListField(
        child=DiagnosisSerializer(), max_length=DIAGNOSES_MAX, required=False
    )
    outcome = TextField(max_length=100, required=False, allow_blank=True)
    operator = OperatorSerializer(required=False)


class CancelSerializer(StrictSerializer):
    """Cancelling names who did it."""

    reason = TextField(max_length=200, required=False, allow_blank=True)
    operator = OperatorSerializer()


class PatientAnswerSerializer(serializers.Serializer[Any]):
    mrn = serializers.CharField()
    in_review = serializers.BooleanField(
        help_text="The certificate number is known under another name; a person decides. A name"
        " told anew for a record that has its number is written only then."
    )


class EncounterAnswerSerializer(serializers.Serializer[Any]):
    encounter_no = serializers.CharField()
    status = serializers.CharField()
    credential = serializers.ChoiceField(
        ["held", "refused"], required=False, help_text="What became of the credential."
    )
    reason = serializers.CharField(required=False, help_text="Why it was refused.")
    sentence = serializers.CharField(required=False, help_text="For who stands there.")


def operator_of(data: dict[str, Any], name: str = "operator") -> Actor:
    """The operator of a call as the house names doers."""
    return Actor("his", data[name]["code"], data[name]["name"])


def operator_or_none(data: dict[str, Any]) -> Actor | None:
    return operator_of(data) if data.get("operator") else None


def patient_input(data: dict[str, Any]) -> PatientInput:
    guardian = data.get("guardian") or {}
    return PatientInput(
        name=data["name"],
        id_type=data["id_type"],
        id_number=data.get("id_number") or "",
        birth_date=data.get("birth_date"),
        sex=data["sex"],
        phone=data["phone"],
        guardian_mrn=guardian.get("mrn", ""),
    )


def encounter_input(data: dict[str, Any]) -> EncounterInput:
    """The operator is no content, except as the one who took the wish not to use insurance."""
    self_pay = data.get("self_pay", False)
    content = {name: value for name, value in data.items() if name != "operator" or self_pay}
    doctor, department = data["doctor"], data["department"]
    return EncounterInput(
        mrn=data.get("mrn", ""),
        card_no=data.get("card_no", ""),
        kind=data["kind"],
        campus=data["campus"],
        department_code=department["code"],
        department_name=department["name"],
        doctor_code=doctor["code"],
        doctor_national_code=doctor.get("national_code", ""),
        doctor_name=doctor.get("name", ""),
        started_at=data["started_at"],
        diagnoses=[dict(one) for one in data["diagnoses"]],
        med_type=data["med_type"],
        disease_code=data.get("disease_code", ""),
        mdtrt_id=data.get("mdtrt_id", ""),
        self_pay=self_pay,
        input_hash=input_hash(content),
    )
