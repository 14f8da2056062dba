"""Questions about people and visits. Nothing here writes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.crypto import blind_index
from core.errors import NotFound
from patients.models import Campus, Encounter, HisClient, Identifier, IdentifierKind, Patient

ID_NUMBER_PURPOSE = "patient id number"
PHONE_PURPOSE = "patient phone"


def id_number_index(value: str) -> str:
    """What `Patient.id_number_index` holds for a number; empty for none."""
    return blind_index(value, purpose=ID_NUMBER_PURPOSE) if value.strip() else ""


def phone_index(value: str) -> str:
    """What `Patient.phone_index` holds for a phone; empty for none."""
    return blind_index(value, purpose=PHONE_PURPOSE) if value.strip() else ""


def identifier_find(*, client: HisClient, kind: str, value: str) -> Identifier | None:
    """A number of the hospital with its patient."""
    rows = Identifier.objects.select_related("patient")
    return rows.filter(client=client, kind=kind, value=value).first()


def patient_by_mrn(*, client: HisClient, mrn: str, field: str = "mrn") -> Patient:
    """The person with this medical record number, or NotFound."""
    found = identifier_find(client=client, kind=IdentifierKind.MRN, value=mrn)
    if found is None:
        raise NotFound("unknown_patient", _("No patient has this medical record number."), field)
    return found.patient


def patient_by_card(*, client: HisClient, card_no: str, field: str = "card_no") -> Patient:
    """The person with this visiting card, or NotFound."""
    found = identifier_find(client=client, kind=IdentifierKind.CARD, value=card_no)
    if found is None:
        raise NotFound("unknown_patient", _("No patient has this card."), field)
    return found.patient


def patients_with_id_number(*, id_type: str, id_number: str) -> list[Patient]:
    """Everybody who is registered under a certificate number, oldest first."""
    index = id_number_index(id_number)
    if not index:
        return []
    return list(Patient.objects.filter(id_type=id_type, id_number_index=index).order_by("pk"))


def campus_by_code(code: str, field: str = "campus") -> Campus:
    """The campus, or NotFound."""
    campus = Campus.objects.filter(code=code).first()
    if campus is None:
        raise NotFound("unknown_campus", _("No campus has this code."), field)
    return campus


def encounter_get(*, client: HisClient, encounter_no: str) -> Encounter:
    """The visit, or NotFound."""
    rows = Encounter.objects.filter(client=client, encounter_no=encounter_no)
    found = rows.select_related("patient").first()
    if found is None:
        raise NotFound("unknown_encounter", _("No visit has this number."), "encounter_no")
    return found
