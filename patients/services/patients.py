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
from patients.certificates import certificate_number, phone_number
from patients.locks import patient_numbers_locked, patients_locked, people_locked
from patients.models import (
    HisClient,
    Identifier,
    IdentifierKind,
    IdType,
    Patient,
)
from patients.selectors import (
    id_number_index,
    id_number_tail,
    identifier_find,
    patient_by_mrn,
    patients_with_id_number,
    phone_index,
)
from patients.selectors.binding_rules import born_by_number
from patients.services.access import guardians_words_end
from patients.services.identities import (
    OTHER_NAME,
    SAME_PERSON,
    name_in_question,
    name_review_open,
    number_review_open,
)
from patients.services.record_facts import facts_on_record
from patients.services.record_phones import phone_on_record

GUARDIAN_DEPTH_MAX = 5


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
    name is another person until somebody decides, and opens a review. Which person a record number
    stands for does not change: `identities` says what of a new name or number is refused or asked
    about. Whether phone and facts are this client's to change, `record_phones` and `record_facts`
    say. Raises BadInput, NotFound for a guardian nobody knows, Conflict.
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
        _refuse_other_birth(data.id_type, number, data.birth_date)
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
        "id_number_tail": id_number_tail(number),
        "birth_date": born,
        "sex": data.sex,
        "phone": phone,
        "phone_index": phone_index(phone),
    }


def _refuse_other_birth(id_type: str, number: str, born: object) -> None:
    """A resident's number carries the date; one of the two is mistyped."""
    carried = born_by_number(id_type, number)
    if born is not None and carried is not None and born != carried:
        text = _("The date of birth is not the one in the ID number.")
        raise BadInput("other_birth_date", text, "birth_date")


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
        patient, in_review = _locked(same), False
        _write(patient, client, values, by)
    else:
        patient = Patient.objects.create(
            created_at=clock.now(), phone_client=client, facts_client=client, **values
        )
        in_review = number_review_open(patient=patient, others=namesakes, reason=OTHER_NAME, by=by)
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
    patient = _locked(known.patient)
    others = [one for one in namesakes if one.pk != patient.pk]
    identity: tuple[str, ...] = ("name", "id_type", "id_number_index")
    if patient.id_number_index and not values["id_number_index"]:
        # What is left out takes nothing away: the record keeps its certificate.
        values = {k: v for k, v in values.items() if not k.startswith("id_")}
        identity = ("name",)
        _refuse_other_birth(patient.id_type, patient.id_number, values["birth_date"])
    changed = [name for name in identity if getattr(patient, name) != values[name]]
    if changed and _joined(patient):
        raise Conflict(
            "joined_patient",
            _("This person has several record numbers; who they are is corrected by review."),
            changed[0].removesuffix("_index"),
        )
    if changed and name_in_question(patient=patient, values=values):
        name_review_open(patient=patient, name=str(values["name"]), by=by)
        return PatientRegistered(patient, False, True)
    _write(patient, client, values, by)
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
        reason = SAME_PERSON if same else OTHER_NAME
        in_review = number_review_open(patient=patient, others=others, reason=reason, by=by)
    return PatientRegistered(patient, False, in_review)


def _joined(patient: Patient) -> bool:
    return patient.identifiers.filter(kind=IdentifierKind.MRN).count() > 1


def _locked(patient: Patient) -> Patient:
    """The record as it is once a binding that is being made has been: its rules read that."""
    return next(one for one in patients_locked(patient.pk) if one.pk == patient.pk)


def _write(patient: Patient, client: HisClient, values: dict[str, object], by: Actor) -> None:
    """Save what differs and is the client's to say; the same content again writes nothing."""
    values = phone_on_record(patient=patient, client=client, values=values, by=by)
    values = facts_on_record(patient=patient, client=client, values=values, by=by)
    differing = [name for name, value in values.items() if getattr(patient, name) != value]
    for name in differing:
        setattr(patient, name, values[name])
    if differing:
        patient.save(update_fields=differing)
    if "guardian" in differing:
        guardians_words_end(patient_id=patient.pk, by=by)
