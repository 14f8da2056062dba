"""Whose word counts for the phone on record: codes and pay links go there.

The client that told the phone may change it, and so may the only one that knows the person. Another
client's number takes its place only while nobody holds the person by an account: from then on the
phone opens what that account sees and pays, and one more system's typing error, or a stranger at
it, must not move it. The call still succeeds, for all else it says is kept; what it said of the
phone is in the audit. Such a number is corrected by the client that told the one on record.
"""

from __future__ import annotations

from django.db.models import Q

from core.actors import Actor
from core.audit import record
from core.crypto import mask_phone
from core.models import AuditEvent
from patients.models import HisClient, IdentifierKind, Patient, PatientAccess

SUBJECT = "patients.patient"
CHANGED, KEPT = "patient_phone_changed", "patient_phone_kept"


def phone_on_record(
    *, patient: Patient, client: HisClient, values: dict[str, object], by: Actor
) -> dict[str, object]:
    """The values to write, without a phone that is not this client's to change.

    Every change leaves an event with both numbers masked, and so does one that was refused, once.
    Runs in the caller's transaction, under the lock on the person's numbers.
    """
    old, new = patient.phone, str(values["phone"])
    rest = {name: value for name, value in values.items() if not name.startswith("phone")}
    if old == new:
        return rest
    kept = not _is_own(patient, client) and _is_held(patient)
    detail = {"client": client.code, "old": mask_phone(old), "new": mask_phone(new)}
    _recorded(KEPT if kept else CHANGED, patient, detail, by)
    return rest if kept else {**values, "phone_client": client}


def _is_own(patient: Patient, client: HisClient) -> bool:
    if patient.phone_client_id is not None:
        return patient.phone_client_id == client.pk
    # Recorded before it was written down by whom.
    numbers = patient.identifiers.filter(kind=IdentifierKind.MRN)
    return not numbers.exclude(client=client).exists()


def _is_held(patient: Patient) -> bool:
    """By their own account, or by a relative's; a child's code goes to the guardian's phone."""
    people = Q(patient=patient) | Q(patient__guardian=patient)
    return PatientAccess.objects.live().filter(people).exists()


def _recorded(action: str, patient: Patient, detail: dict[str, str], by: Actor) -> None:
    events = AuditEvent.objects.filter(subject=SUBJECT, subject_id=str(patient.pk))
    last = events.filter(action__in=(CHANGED, KEPT)).order_by("-pk").first()
    if action == KEPT and last is not None and (last.action, last.detail) == (action, detail):
        return
    record(by=by, action=action, subject=SUBJECT, subject_id=patient.pk, detail=detail)
