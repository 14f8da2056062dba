"""What the window shows of a person: masked unless the right is held, or the data was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

from core.crypto import mask_id, mask_name, mask_phone
from patients.models import IdentifierKind, Patient
from patients.selectors.binding_rules import age_of


@dataclass(frozen=True, slots=True)
class Face:
    """One person, ready to read."""

    pk: int
    name: str
    initial: str
    sex: str | Promise
    age: int | None
    id_type: str | Promise
    id_number: str
    phone: str
    mrns: tuple[str, ...]
    cards: tuple[str, ...]
    guardian: str
    open_data: bool


def face_of(patient: Patient, *, full_name: bool, open_data: bool = False) -> Face:
    """Identity of a patient; `open_data` only after a recorded request with its reason.

    Reads `identifiers` and `guardian`, which the caller fetches.
    """
    numbers = list(patient.identifiers.all())
    cards = [row.value for row in numbers if row.kind == IdentifierKind.CARD]
    guardian = patient.guardian
    name = patient.name if full_name else mask_name(patient.name)
    return Face(
        pk=patient.pk,
        name=name,
        initial=name[:1],
        sex=patient.get_sex_display(),
        age=age_of(patient),
        id_type=patient.get_id_type_display(),
        id_number=patient.id_number if open_data else mask_id(patient.id_number),
        phone=patient.phone if open_data else mask_phone(patient.phone),
        mrns=tuple(row.value for row in numbers if row.kind == IdentifierKind.MRN),
        cards=tuple(cards if full_name else map(mask_id, cards)),
        guardian=_guardian(guardian, full_name=full_name) if guardian else "",
        open_data=open_data,
    )


def _guardian(guardian: Patient, *, full_name: bool) -> str:
    return guardian.name if full_name else mask_name(guardian.name)
