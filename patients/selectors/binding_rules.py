"""Who may be bound by whom, read from the register. An answer here is never shown to the asker."""

from __future__ import annotations

import unicodedata
from datetime import date

from stdnum.cn import ric

from core import clock
from core.models import User
from patients.models import (
    Binding,
    Identifier,
    IdType,
    Patient,
    PatientAccess,
    Relation,
    UserPhone,
)

ADULT_FROM = 18
OWN_CODE_FROM = 14


def age_on(born: date, day: date) -> int:
    """Whole years; somebody born on 29 February is a year older on 1 March of other years."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def age_of(patient: Patient) -> int | None:
    """How old the register says a person is; None where it does not know.

    A date that only the certificate's number carries was written down at registration.
    """
    born, today = patient.birth_date, clock.today()
    return None if born is None or born > today else age_on(born, today)


def is_asked_themselves(patient: Patient) -> bool:
    """A minor who has a word beside the guardian's: from 14 on it takes their own code."""
    age = age_of(patient)
    return age is not None and OWN_CODE_FROM <= age < ADULT_FROM


def is_child(patient: Patient) -> bool:
    """Who cannot answer by a code of their own yet."""
    age = age_of(patient)
    return age is not None and age < OWN_CODE_FROM


def is_young_ward(patient: Patient, person_id: int | None) -> bool:
    """A child whose guardian on record that person is."""
    ward = person_id is not None and patient.guardian_id == person_id
    return ward and is_child(patient)


def minors_born_after() -> date:
    """Whoever was born after this day is not of age today: the same rule where SQL asks it.

    On 29 February the day eighteen years ago is the 28th: nobody's birthday lies between.
    """
    today = clock.today()
    day = 28 if (today.month, today.day) == (2, 29) else today.day
    return date(today.year - ADULT_FROM, today.month, day)


def born_by_number(id_type: str, id_number: str) -> date | None:
    """The date of birth that a resident's number carries."""
    if id_type not in {IdType.ID_CARD, IdType.HOUSEHOLD} or not id_number:
        return None
    born: date = ric.get_birth_date(id_number)
    return born


def person_of(user: User) -> Patient | None:
    """The user's own person, proven by a code."""
    rows = PatientAccess.objects.own().filter(user=user)
    access = rows.select_related("patient").first()
    return None if access is None else access.patient


def binding_person(binding: Binding) -> tuple[Patient | None, str]:
    """The one person who fits all that was typed, or why there is none."""
    if binding.id_number_index:
        rows = Patient.objects.filter(
            id_type=binding.id_type, id_number_index=binding.id_number_index
        )
    else:
        rows = Patient.objects.filter(identifiers__value=binding.card_no).distinct()
    name = plain_name(binding.name)
    fitting = [
        one
        for one in rows.filter(merged_into=None).select_related("guardian").order_by("pk")
        if plain_name(one.name) == name
    ]
    if binding.card_no and binding.id_number_index:
        owners = set(
            Identifier.objects.filter(value=binding.card_no).values_list("patient_id", flat=True)
        )
        fitting = [one for one in fitting if one.pk in owners]
    if len(fitting) != 1:
        return None, "no_person" if not fitting else "several_people"
    return fitting[0], ""


def plain_name(name: str) -> str:
    """A name as it is compared: one width, no white space, no case."""
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def binding_refusal(*, user: User, relation: str, patient: Patient) -> str:
    """Why this user must not bind this person; empty where a code may prove the right to it.

    Below 18 only the guardian on record, from 14 with the child's own code; below 14 the code goes
    to the guardian. Whoever shares a phone with the binder cannot answer for themselves by it.
    """
    age = age_of(patient)
    if age is None:
        return "age_unknown"
    if relation == Relation.SELF:
        return _own_refusal(patient, age)
    if age < ADULT_FROM:
        own = person_of(user)
        if own is None or patient.guardian_id != own.pk:
            return "not_the_guardian"
    phone = code_phone(patient, age)
    if not phone:
        return "no_phone"
    if age >= OWN_CODE_FROM and phone in _phones_of(user):
        return "shared_phone"
    return ""


def _own_refusal(patient: Patient, age: int) -> str:
    if age < OWN_CODE_FROM:
        return "child_as_self"
    if not patient.phone:
        return "no_phone"
    guardian = patient.guardian if age < ADULT_FROM else None
    if guardian is not None and guardian.phone == patient.phone:
        return "shared_phone"
    return "shared_phone" if _is_on_another_adults_record(patient) else ""


def _is_on_another_adults_record(patient: Patient) -> bool:
    """Then a code sent to it proves either of the two; who is who is settled at the desk."""
    others = Patient.objects.filter(phone_index=patient.phone_index, merged_into=None)
    return others.exclude(pk=patient.pk).exclude(birth_date__gt=minors_born_after()).exists()


def code_phone(patient: Patient, age: int) -> str:
    """The phone on record that a code goes to; never one that the asker typed."""
    if age < OWN_CODE_FROM and patient.guardian is not None:
        return str(patient.guardian.phone or patient.phone)
    return str(patient.phone)


def _phones_of(user: User) -> set[str]:
    own = person_of(user)
    account = UserPhone.objects.filter(user=user).first()
    found = {own.phone if own else "", account.phone if account else ""}
    return found - {""}
