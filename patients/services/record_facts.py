"""Whose word counts for birth, sex and guardian: they say who may bind a person, and who is told.

The rule is the phone's. The client that told the facts may change them, and so may the only one
that knows the person. Another client's word takes their place only while nobody holds the person,
a ward of theirs or the guardian on record by an account: an adult it calls a child, or a child it
gives another guardian, would be bound, seen and paid for by whom it names. What another client
leaves out, a guardian or the sex, takes nothing away. The call still succeeds; the audit says what
was changed and what was not taken over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from core.actors import Actor
from core.crypto import mask_name
from patients.models import HisClient, Patient, Sex
from patients.selectors.record_owners import record_held, record_told_by
from patients.services.record_phones import word_recorded

CHANGED, KEPT = "patient_facts_changed", "patient_facts_kept"
# What a client that says nothing of the fact sends.
UNSAID: Mapping[str, object] = {"birth_date": None, "sex": Sex.UNKNOWN.value, "guardian": None}


def facts_on_record(
    *, patient: Patient, client: HisClient, values: dict[str, object], by: Actor
) -> dict[str, object]:
    """The values to write, without facts that are not this client's to change.

    Every change leaves an event with both sides masked, and so does one that was refused, once.
    Runs in the caller's transaction, under the lock on the person.
    """
    own = record_told_by(patient=patient, teller_id=patient.facts_client_id, client=client)
    rest = {name: value for name, value in values.items() if name not in UNSAID}
    told = {
        name: values[name]
        for name, unsaid in UNSAID.items()
        if values[name] != getattr(patient, name) and (own or values[name] != unsaid)
    }
    if not told:
        return rest
    kept = not own and record_held(patient)
    detail = {
        "client": client.code,
        **{name: SHOWN[name](getattr(patient, name), value) for name, value in told.items()},
    }
    word_recorded(patient=patient, actions=(CHANGED, KEPT), kept=kept, detail=detail, by=by)
    return rest if kept else {**rest, **told, "facts_client": client}


def _days(old: date | None, new: date | None) -> dict[str, Any]:
    return {"old": _year(old), "new": _year(new)}


def _year(born: date | None) -> str:
    return "" if born is None else f"{born.year}-**-**"


def _sexes(old: str, new: str) -> dict[str, Any]:
    return {"old": old, "new": new}


def _guardians(old: Patient | None, new: Patient | None) -> dict[str, Any]:
    return {
        "old": mask_name(old.name) if old else "",
        "old_id": old.pk if old else None,
        "new": mask_name(new.name) if new else "",
        "new_id": new.pk if new else None,
    }


SHOWN: Mapping[str, Callable[..., dict[str, Any]]] = {
    "birth_date": _days,
    "sex": _sexes,
    "guardian": _guardians,
}
