"""The window's view of a patient's bindings: who holds them, what they grant, how they ended."""

from __future__ import annotations

from dataclasses import dataclass

from core.crypto import mask_name, mask_phone
from patients.models import Patient, PatientAccess, Relation, UserPhone

SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class DeskBinding:
    """One binding, live or ended; `holder` is masked."""

    access: PatientAccess
    holder: str


def bindings_of_patient(patient: Patient) -> list[DeskBinding]:
    """Every binding of this person by any account: the live ones first, then the latest."""
    rows = PatientAccess.objects.filter(patient=patient).select_related("user__phone")
    found = sorted(rows.order_by("-pk")[:SHOWN_MAX], key=lambda one: one.ended_at is not None)
    own = PatientAccess.objects.filter(
        user__in=[one.user_id for one in found], relation=Relation.SELF, ended_at__isnull=True
    )
    names = {one.user_id: mask_name(one.patient.name) for one in own.select_related("patient")}
    return [DeskBinding(one, names.get(one.user_id) or _phone(one)) for one in found]


def _phone(access: PatientAccess) -> str:
    phone: UserPhone | None = getattr(access.user, "phone", None)
    return mask_phone(phone.phone) if phone is not None else "—"
