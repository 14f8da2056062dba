"""Whose visit code a user may show, and whose code was scanned."""

from __future__ import annotations

import re

from core.models import User
from patients.card_codes import card_code_read
from patients.models import Location, Patient, PatientAccess, Relation
from patients.selectors.bindings import access_held


def card_code_resolve(text: str) -> Patient | None:
    """The person of a scanned visit code; None for every other text, and for a code that is over.

    A text that is no visit code costs no statement, so a search may ask first of all.
    """
    patient_id = card_code_read(text)
    if patient_id is None:
        return None
    found = Patient.objects.select_related("merged_into").filter(pk=patient_id).first()
    return found.merged_into or found if found is not None else None


def card_people(user: User) -> list[PatientAccess]:
    """Whom this user may identify by a code: themselves, and whose bills they see.
    The right to pay alone opens no visit."""
    return [one for one in access_held(user) if one.relation == Relation.SELF or one.sees]


def location_find(code: str) -> Location | None:
    """The place of a tag in use, by the code in its address; None for what no tag can say."""
    if not re.fullmatch(r"[0-9A-Za-z-]{1,24}", code):
        return None
    rows = Location.objects.select_related("campus").filter(code=code.upper(), active=True)
    return rows.first()
