"""The family page: who pays for me, for whom I pay, who may see; and who decides about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from core import clock
from core.crypto import mask_name, mask_phone
from core.models import User
from patients.models import (
    AccessEnd,
    Binding,
    BindingStatus,
    Patient,
    PatientAccess,
    Relation,
    UserPhone,
)
from patients.selectors.binding_rules import OWN_CODE_FROM, age_of, person_of

# What the user is to the patient, where the row says what the patient is to the user.
_SEEN_FROM_THE_PATIENT = {Relation.CHILD: Relation.PARENT, Relation.PARENT: Relation.CHILD}


@dataclass(frozen=True, slots=True)
class Relative:
    """Another person on the page: masked name, what they are to the reader, the binding behind it.

    `decides`: the reader speaks for the patient of this row and may switch its grants.
    """

    access: PatientAccess
    name: str
    relation: str
    age: int | None
    decides: bool


@dataclass(frozen=True, slots=True)
class Family:
    """`own` is the reader's own binding; `waiting` a wish whose code is still to be typed."""

    own: PatientAccess | None
    pays_for_me: tuple[Relative, ...]
    i_pay_for: tuple[Relative, ...]
    places: int
    waiting: Binding | None


def family_of(user: User) -> Family:
    """Everything the family page tells, in a constant number of statements."""
    mine = list(_live().filter(user=user).order_by("pk"))
    own = next((one for one in mine if one.relation == Relation.SELF), None)
    holders: list[PatientAccess] = []
    if own is not None:
        holders = list(_live().filter(patient=own.patient_id).exclude(pk=own.pk).order_by("pk"))
    names = _names_of([one.user_id for one in holders])
    return Family(
        own=own,
        pays_for_me=tuple(_holder(one, names.get(one.user_id, "*")) for one in holders),
        i_pay_for=tuple(_bound(one, own) for one in mine if one is not own),
        places=len(mine),
        waiting=_waiting(user),
    )


def _holder(access: PatientAccess, name: str) -> Relative:
    relation = Relation(_SEEN_FROM_THE_PATIENT.get(Relation(access.relation), access.relation))
    return Relative(access, name, str(relation.label), None, decides=True)


def _bound(access: PatientAccess, own: PatientAccess | None) -> Relative:
    ward = own is not None and is_young_ward(access.patient, own.patient)
    return Relative(
        access,
        mask_name(access.patient.name),
        str(Relation(access.relation).label),
        age_of(access.patient),
        decides=ward,
    )


def relative_of(user: User, access: PatientAccess) -> Relative:
    """One row of the page, for the question before it is ended."""
    if access.user_id != user.pk:
        return _holder(access, _names_of([access.user_id]).get(access.user_id, "*"))
    return _bound(access, None)


def _names_of(user_ids: list[int]) -> dict[int, str]:
    """Users by their own person's masked name, else by their account's masked phone."""
    phones = UserPhone.objects.filter(user__in=user_ids)
    names = {one.user_id: mask_phone(one.phone) for one in phones} if user_ids else {}
    own = PatientAccess.objects.own().filter(user__in=user_ids).select_related("patient")
    return names | {one.user_id: mask_name(one.patient.name) for one in own}


def _waiting(user: User) -> Binding | None:
    rows = Binding.objects.filter(
        user=user, status=BindingStatus.WAITING, expires_at__gt=clock.now()
    )
    return rows.order_by("-pk").first()


def access_endable(*, user: User, access_id: int) -> PatientAccess | None:
    """A live binding that this user may end; None for anybody else's."""
    access = _live().select_related("patient__guardian", "user").filter(pk=access_id).first()
    return access if access is not None and may_end(user, access) is not None else None


def binding_of(*, user: User, binding_id: int) -> Binding | None:
    """The user's own wish."""
    return Binding.objects.filter(user=user, pk=binding_id).first()


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
    return PatientAccess.objects.live().select_related("patient")
