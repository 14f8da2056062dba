"""Who may see or pay for whom: only bindings that live count, and a binding without a grant opens
nothing.

A person's bills are seen by themselves and by whom they let see. A child below 14 cannot say so:
their guardian on record sees, today's and nobody else. Nothing of that is kept, so it ends by
itself when the child is 14 and when the hospital names another guardian.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from django.db.models import Case, IntegerField, Value, When
from django.utils.translation import gettext_lazy as _

from core.errors import NotFound
from core.models import User
from patients.models import PatientAccess, Relation
from patients.selectors.binding_rules import is_young_ward

Need = Literal["view", "pay"]
FAMILY_MAX = 5

_OWN_FIRST = Case(
    When(relation=Relation.SELF, then=Value(0)), default=Value(1), output_field=IntegerField()
)


def access_of(user: User) -> list[PatientAccess]:
    """The people this user may see or pay for, the user's own person first."""
    return [one for one in access_held(user) if one.sees or one.may_pay]


def access_held(user: User) -> list[PatientAccess]:
    """Every live binding of a user, the own person's first, with what it allows; one statement."""
    live = PatientAccess.objects.live().filter(user=user).select_related("patient")
    rows = list(live.order_by(_OWN_FIRST, "pk"))
    own = next((one.patient_id for one in rows if one.relation == Relation.SELF), None)
    return rights_said(rows, own)


def rights_said(rows: Iterable[PatientAccess], person_id: int | None) -> list[PatientAccess]:
    """The bindings of one user, whose own person that is, with whether they see today."""
    found = list(rows)
    for row in found:
        ward = row.ended_at is None and is_young_ward(row.patient, person_id)
        row.sees = row.may_view or ward
    return found


def access_to(*, user: User, patient_id: int, need: Need = "view") -> PatientAccess:
    """The binding that allows it, or NotFound, the same whether or not there is such a person."""
    rows = [one for one in access_of(user) if one.patient_id == patient_id]
    found = next((one for one in rows if (one.sees if need == "view" else one.may_pay)), None)
    if found is None:
        raise NotFound("unknown_patient", _("There is nobody here under this number."))
    return found


def family_places(user: User) -> int:
    """How many people are bound to this user, the user's own person included."""
    return PatientAccess.objects.live().filter(user=user).count()
