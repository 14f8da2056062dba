"""The family page: who pays for me, for whom I pay, who may see; and who decides about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

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
from patients.selectors.binding_rules import (
    ADULT_FROM,
    OWN_CODE_FROM,
    age_of,
    age_on,
    is_young_ward,
    person_of,
)
from patients.selectors.bindings import access_held, rights_said

# What the user is to the patient, where the row says what the patient is to the user.
_SEEN_FROM_THE_PATIENT = {Relation.CHILD: Relation.PARENT, Relation.PARENT: Relation.CHILD}


@dataclass(frozen=True, slots=True)
class Relative:
    """Another person on the page: masked name, what they are to the reader, the binding behind it.

    `decides`: the reader speaks for the patient of this row; `ward` is the child that another one
    holds. `over` is why a guardian sees the bills no more.
    """

    access: PatientAccess
    name: str
    relation: str
    age: int | None
    decides: bool
    ward: str = ""
    over: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Family:
    """`own` is the reader's own binding; `waiting` a wish whose code is still to be typed;
    `my_wards_with` whoever else holds a child below 14 whose guardian on record the reader is."""

    own: PatientAccess | None
    pays_for_me: tuple[Relative, ...]
    i_pay_for: tuple[Relative, ...]
    my_wards_with: tuple[Relative, ...]
    places: int
    waiting: Binding | None


def family_of(user: User) -> Family:
    """Everything the family page tells, in a constant number of statements."""
    mine = access_held(user)
    own = next((one for one in mine if one.relation == Relation.SELF), None)
    holders = [] if own is None else _holders(user, own.patient_id)
    names = _names_of([one.user_id for one in holders])
    rows = [_holder(one, names.get(one.user_id, "*"), own) for one in holders]
    return Family(
        own=own,
        pays_for_me=tuple(row for row in rows if not row.ward),
        i_pay_for=tuple(_bound(one, own) for one in mine if one is not own),
        my_wards_with=tuple(row for row in rows if row.ward),
        places=len(mine),
        waiting=_waiting(user),
    )


def _holders(user: User, person_id: int) -> list[PatientAccess]:
    """Who else holds the reader, or a child whom the reader speaks for, bound by them or not."""
    people = Patient.objects.filter(Q(pk=person_id) | Q(guardian=person_id))
    theirs = _live().filter(patient__in=people).exclude(relation=Relation.SELF)
    rows = [
        one
        for one in theirs.exclude(user=user).order_by("pk")
        if one.patient_id == person_id or is_young_ward(one.patient, person_id)
    ]
    # None of them is a guardian on record: of the reader, who is of age to bind, or of the child.
    return rights_said(rows, None)


def _holder(access: PatientAccess, name: str, own: PatientAccess | None) -> Relative:
    relation = Relation(_SEEN_FROM_THE_PATIENT.get(Relation(access.relation), access.relation))
    ward = own is not None and access.patient_id != own.patient_id
    whose = mask_name(access.patient.name) if ward else ""
    return Relative(access, name, str(relation.label), None, decides=True, ward=whose)


def _bound(access: PatientAccess, own: PatientAccess | None) -> Relative:
    return Relative(
        access,
        mask_name(access.patient.name),
        str(Relation(access.relation).label),
        age_of(access.patient),
        decides=is_young_ward(access.patient, own.patient_id if own else None),
        over=_over(access, own.patient_id if own else None),
    )


def _over(access: PatientAccess, own_id: int | None) -> str | Promise:
    """Why who held a child as its guardian sees the bills no more: the child's age, or the record.

    Who was bound before the child was 14 was the guardian on record then: nobody else could be.
    """
    born, age = access.patient.birth_date, age_of(access.patient)
    if access.sees or born is None or age is None:
        return ""
    if age_on(born, clock.business_day(access.created_at)) >= OWN_CODE_FROM:
        return ""
    if age >= ADULT_FROM:
        return _("They are of age now and say themselves who sees and who pays.")
    if age >= OWN_CODE_FROM and access.patient.guardian_id in (own_id, None):
        return _("You saw the bills as guardian. From 14 on they say themselves who sees them.")
    return _("You are no longer the guardian on record, so you see the bills no more.")


def relative_of(user: User, access: PatientAccess) -> Relative:
    """One row of the page, for the question before it is ended."""
    if access.user_id != user.pk:
        name = _names_of([access.user_id]).get(access.user_id, "*")
        return _holder(access, name, _own(user))
    held = next(one for one in access_held(user) if one.pk == access.pk)
    return _bound(held, _own(user))


def _own(user: User) -> PatientAccess | None:
    return PatientAccess.objects.own().filter(user=user).first()


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
    return own.pk == patient.pk or is_young_ward(patient, own.pk)


def may_let_see(user: User, patient: Patient) -> bool:
    """Whether this user may let others see the person's bills: only the person may. A guardian
    sees a young child's without being let, and lets nobody: the word would outlive the right."""
    own = person_of(user)
    return own is not None and own.pk == patient.pk


def may_end(user: User, access: PatientAccess) -> AccessEnd | None:
    """As whom this user may end the binding; None if not at all."""
    if access.user_id == user.pk:
        return AccessEnd.USER
    if access.relation != Relation.SELF and may_decide(user, access.patient):
        return AccessEnd.PATIENT
    return None


def _live() -> QuerySet[PatientAccess]:
    return PatientAccess.objects.live().select_related("patient")
