"""Who may see or pay for whom: only bindings that live count, and a binding without a grant opens
nothing."""

from __future__ import annotations

from typing import Literal

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from core.errors import NotFound
from core.models import User
from patients.models import PatientAccess, Relation

Need = Literal["view", "pay"]
FAMILY_MAX = 5

_OWN_FIRST = Case(
    When(relation=Relation.SELF, then=Value(0)), default=Value(1), output_field=IntegerField()
)


def access_of(user: User) -> list[PatientAccess]:
    """The people this user may see or pay for, the user's own person first."""
    rows = _live(user).filter(Q(may_view=True) | Q(may_pay=True))
    return list(rows.order_by(_OWN_FIRST, "pk"))


def access_to(*, user: User, patient_id: int, need: Need = "view") -> PatientAccess:
    """The binding that allows it, or NotFound, the same whether or not there is such a person."""
    grant = {"may_view": True} if need == "view" else {"may_pay": True}
    found = _live(user).filter(patient_id=patient_id, **grant).first()
    if found is None:
        raise NotFound("unknown_patient", _("There is nobody here under this number."))
    return found


def family_places(user: User) -> int:
    """How many people are bound to this user, the user's own person included."""
    return PatientAccess.objects.live().filter(user=user).count()


def _live(user: User) -> QuerySet[PatientAccess]:
    rows = PatientAccess.objects.live().filter(user=user)
    return rows.select_related("patient")
