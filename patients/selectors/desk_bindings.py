"""The window's view of a patient's bindings: who holds them, what they grant, how they ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core.crypto import mask_name, mask_phone
from patients.models import Patient, PatientAccess, UserPhone
from patients.selectors.bindings import rights_said

SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class Holder:
    """The account behind a binding or an agreement, by its own person and its phone.

    Both are masked unless the data was asked for; `patient_id` is 0 where no own person is bound.
    """

    name: str = ""
    phone: str = ""
    patient_id: int = 0

    @property
    def text(self) -> str:
        return " ".join(part for part in (self.name, self.phone) if part) or "—"


@dataclass(frozen=True, slots=True)
class DeskBinding:
    """One binding, live or ended, with who holds it."""

    access: PatientAccess
    holder: Holder

    @property
    def live(self) -> bool:
        return self.access.ended_at is None

    @property
    def sees(self) -> bool:
        """As its user's own pages have it: by the patient's word, or as the guardian on record."""
        return rights_said([self.access], self.holder.patient_id)[0].sees


def bindings_of_patient(patient: Patient, *, live_only: bool = False) -> list[PatientAccess]:
    """Every binding of this person by any account: the live ones first, then the latest."""
    rows = PatientAccess.objects.filter(patient=patient).select_related("patient")
    if live_only:
        rows = rows.live()
    return sorted(rows.order_by("-pk")[:SHOWN_MAX], key=lambda one: one.ended_at is not None)


def holders_of(user_ids: Iterable[int], *, open_data: bool = False) -> dict[int, Holder]:
    """Who these accounts are, in two statements. `open_data` only after a recorded request."""
    users = set(user_ids)
    own = PatientAccess.objects.own().filter(user__in=users)
    persons = {one.user_id: one.patient for one in own.select_related("patient")}
    phones = {one.user_id: one.phone for one in UserPhone.objects.filter(user__in=users)}
    found = {}
    for user_id in users:
        person, phone = persons.get(user_id), phones.get(user_id, "")
        name = person.name if person is not None else ""
        found[user_id] = Holder(
            name=name if open_data else mask_name(name),
            phone=phone if open_data else mask_phone(phone),
            patient_id=person.pk if person is not None else 0,
        )
    return found
