"""The family page: who pays for me, for whom I pay, who may see; and who decides about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from core.models import User
from patients.models import AccessEnd, Patient, PatientAccess, Relation
from patients.selectors.binding_rules import OWN_CODE_FROM, age_of, person_of


@dataclass(frozen=True, slots=True)
class Relative:
    """Another person on the family page. `name` is masked; `decides`: this user may switch it."""

    access: PatientAccess
    name: str
    age: int | None = None
    decides: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """`own` is the user's own binding; the lists hold live bindings only."""

    own: PatientAccess | None
    pays_for_me: list[PatientAccess]
    i_pay_for: list[PatientAccess]
    places: int


def family_of(user: User) -> Family:
    """Everything the family page tells, in two statements."""
    mine = list(_live().filter(user=user).select_related("patient__guardian").order_by("pk"))
    own = next((one for one in mine if one.relation == Relation.SELF), None)
    others: list[PatientAccess] = []
    if own is not None:
        rows = _live().filter(patient=own.patient_id).exclude(pk=own.pk)
        others = list(rows.order_by("pk"))
    return Family(
        own=own,
        pays_for_me=others,
        i_pay_for=[one for one in mine if one is not own],
        places=len(mine),
    )


def may_decide(user: User, patient: Patient) -> bool:
    """Whether this user speaks for the person: it is theirs, or their child's below 14."""
    own = person_of(user)
    if own is None:
        return False
    return own.pk == patient.pk or is_young_ward(patient, own)


def is_young_ward(patient: Patient, guardian: Patient) -> bool:
    """A child who cannot answer by a code of its own, and whose guardian on record this is."""
    age = age_of(patient)
    return patient.guardian_id == guardian.pk and age is not None and age < OWN_CODE_FROM


def may_end(user: User, access: PatientAccess) -> AccessEnd | None:
    """As whom this user may end the binding; None if not at all."""
    if access.user_id == user.pk:
        return AccessEnd.USER
    if access.relation != Relation.SELF and may_decide(user, access.patient):
        return AccessEnd.PATIENT
    return None


def _live() -> QuerySet[PatientAccess]:
    return PatientAccess.objects.filter(ended_at__isnull=True).select_related("patient")
