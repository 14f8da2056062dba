"""Registering people as the HIS knows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.audit import record
from core.errors import BadInput, Conflict
from core.review import ReviewStatus
from patients.certificates import certificate_number, phone_number
from patients.locks import patient_numbers_locked, people_locked
from patients.models import (
    HisClient,
    Identifier,
    IdentifierKind,
    IdType,
    Patient,
    PatientReview,
)
from patients.selectors import (
    id_number_index,
    identifier_find,
    patient_by_mrn,
    patients_with_id_number,
    phone_index,
)
from patients.selectors.binding_rules import born_by_number
from patients.services.record_phones import phone_on_record

GUARDIAN_DEPTH_MAX = 5
OTHER_NAME = "same_number_other_name"
SAME_PERSON = "same_person_two_records"


@dataclass(frozen=True, slots=True)
class PatientInput:
    """A person as the HIS tells it, before it is checked.

    The date of birth may be missing where the certificate's number carries it.
    """

    name: str
    id_type: str
    id_number: str
    birth_date: date | None
    sex: str
    phone: str
    guardian_mrn: str = ""


@dataclass(frozen=True, slots=True)
class PatientRegistered:
    """`created`: this record number is new. `in_review`: a person must say who this is."""

    patient: Patient
    created: bool
    in_review: bool


def patient_register(
    *, client: HisClient, mrn: str, data: PatientInput, by: Actor
) -> PatientRegistered:
    """Register a record number, or replace what is known under it.

    The same certificate and name is the same person and is joined; the same number under another
    name is another person until somebody decides, and opens a review. Whether the phone on record
    is this client's to change, `record_phones` says.
    """
    values = _checked(data)
    index = values["id_number_index"]
    with transaction.atomic():
        people_locked()
        patient_numbers_locked(f"mrn/{client.pk}/{mrn}", *([f"id/{index}"] if index else []))
        namesakes = patients_with_id_number(id_type=data.id_type, id_number=data.id_number)
        known = identifier_find(client=client, kind=IdentifierKind.MRN, value=mrn)
        values["guardian"] = _guardian(client, data, known.patient if known else None)
        if known is None:
            return _registered(client, mrn, values, namesakes, by)
        return _replaced(client, known, values, namesakes, by)


def _checked(data: PatientInput) -> dict[str, object]:
    name = " ".join(data.name.split())
    if not name:
        raise BadInput("bad_name", _("A name is needed."), "name")
    number = ""
    if data.id_number:
        number = certificate_number(id_type=data.id_type, value=data.id_number)
    born = data.birth_date or born_by_number(data.id_type, number)
    if born is None:
        raise BadInput("no_birth_date", _("A date of birth is needed."), "birth_date")
    if born > clock.today():
        raise BadInput("bad_birth_date", _("The date of birth lies in the future."), "birth_date")
    phone = phone_number(data.phone)
    return {
        "name": name,
        "id_type": IdType(data.id_type).value,
        "id_number": number,
        "id_number_index": id_number_index(number),
        "birth_date": born,
        "sex": data.sex,
        "phone": phone,
        "phone_index": phone_index(phone),
    }


def _guardian(client: HisClient, data: PatientInput, ward: Patient | None) -> Patient | None:
    if not data.guardian_mrn:
        return None
    guardian = patient_by_mrn(client=client, mrn=data.guardian_mrn, field="guardian.mrn")
    above: Patient | None = guardian
    for _step in range(GUARDIAN_DEPTH_MAX):
        if above is None:
            return guardian
        if ward is not None and above.pk == ward.pk:
            break
        above = above.guardian
    raise BadInput(
        "bad_guardian", _("Nobody can be their own guardian, nor in a circle."), "guardian.mrn"
    )


def _registered(
    client: HisClient, mrn: str, values: dict[str, object], namesakes: list[Patient], by: Actor
) -> PatientRegistered:
    same = next((one for one in namesakes if one.name == values["name"]), None)
    if same is not None:
        _write(same, phone_on_record(patient=same, client=client, values=values, by=by))
        patient, in_review = same, False
    else:
        patient = Patient.objects.create(created_at=clock.now(), phone_client=client, **values)
        in_review = _review_opened(patient, namesakes, OTHER_NAME, by)
    Identifier.objects.create(
        client=client,
        patient=patient,
        kind=IdentifierKind.MRN,
        value=mrn,
        created_at=clock.now(),
    )
    return PatientRegistered(patient, True, in_review)


def _replaced(
    client: HisClient,
    known: Identifier,
    values: dict[str, object],
    namesakes: list[Patient],
    by: Actor,
) -> PatientRegistered:
    patient = known.patient
    others = [one for one in namesakes if one.pk != patient.pk]
    identity: tuple[str, ...] = ("name", "id_type", "id_number_index")
    if patient.id_number_index and not values["id_number_index"] and _joined(patient):
        # One of the records has no certificate: it takes nothing away from the other.
        values = {k: v for k, v in values.items() if not k.startswith("id_")}
        identity = ("name",)
    changed = [name for name in identity if getattr(patient, name) != values[name]]
    if changed and _joined(patient):
        raise Conflict(
            "joined_patient",
            _("This person has several record numbers; who they are is corrected by review."),
            changed[0].removesuffix("_index"),
        )
    _write(patient, phone_on_record(patient=patient, client=client, values=values, by=by))
    if changed:
        record(
            by=by,
            action="patient_corrected",
            subject="patients.patient",
            subject_id=patient.pk,
            detail={"fields": changed},
        )
    in_review = False
    if changed and others:
        same = any(one.name == patient.name for one in others)
        in_review = _review_opened(patient, others, SAME_PERSON if same else OTHER_NAME, by)
    return PatientRegistered(patient, False, in_review)


def _joined(patient: Patient) -> bool:
    return patient.identifiers.filter(kind=IdentifierKind.MRN).count() > 1


def _write(patient: Patient, values: dict[str, object]) -> None:
    """Save what differs; the same content again writes nothing."""
    differing = [name for name, value in values.items() if getattr(patient, name) != value]
    for name in differing:
        setattr(patient, name, values[name])
    if differing:
        patient.save(update_fields=differing)


def _review_opened(patient: Patient, others: list[Patient], reason: str, by: Actor) -> bool:
    if not others:
        return False
    open_case = PatientReview.objects.filter(
        patient=patient, other=others[0], status=ReviewStatus.OPEN
    )
    if not open_case.exists():
        PatientReview.objects.create(
            patient=patient,
            other=others[0],
            reason_code=reason,
            opened_by=by.key,
            opened_at=clock.now(),
        )
    return True
