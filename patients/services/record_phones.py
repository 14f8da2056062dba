"""Whose word counts for the phone on record: codes and pay links go there.

The client that told the phone may change it, and so may the only one that knows the person. Another
client's number takes its place only while nobody holds the person by an account: from then on the
phone opens what that account sees and pays, and one more system's typing error, or a stranger at
it, must not move it. The call still succeeds, for all else it says is kept or, of the facts, is
judged by `record_facts`; what it said of the phone is in the audit. Such a number is corrected by
the client that told the one on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.actors import Actor
from core.audit import record
from core.crypto import mask_phone
from core.models import AuditEvent
from patients.models import HisClient, Patient
from patients.selectors.record_owners import record_held, record_told_by

SUBJECT = "patients.patient"
CHANGED, KEPT = "patient_phone_changed", "patient_phone_kept"


def phone_on_record(
    *, patient: Patient, client: HisClient, values: dict[str, object], by: Actor
) -> dict[str, object]:
    """The values to write, without a phone that is not this client's to change.

    Every change leaves an event with both numbers masked, and so does one that was refused, once.
    Runs in the caller's transaction, under the lock on the person.
    """
    old, new = patient.phone, str(values["phone"])
    rest = {name: value for name, value in values.items() if not name.startswith("phone")}
    if old == new:
        return rest
    own = record_told_by(patient=patient, teller_id=patient.phone_client_id, client=client)
    kept = not own and record_held(patient)
    detail = {"client": client.code, "old": mask_phone(old), "new": mask_phone(new)}
    word_recorded(patient=patient, actions=(CHANGED, KEPT), kept=kept, detail=detail, by=by)
    return rest if kept else {**values, "phone_client": client}


def word_recorded(
    *,
    patient: Patient,
    actions: tuple[str, str],
    kept: bool,
    detail: Mapping[str, Any],
    by: Actor,
) -> None:
    """One event for a change; one for the same refusal, however often it is told again."""
    events = AuditEvent.objects.filter(subject=SUBJECT, subject_id=str(patient.pk))
    last = events.filter(action__in=actions).order_by("-pk").first()
    action = actions[1] if kept else actions[0]
    if kept and last is not None and (last.action, last.detail) == (action, detail):
        return
    record(by=by, action=action, subject=SUBJECT, subject_id=patient.pk, detail=detail)
