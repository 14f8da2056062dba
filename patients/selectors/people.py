"""Questions about people and visits. Nothing here writes."""

from __future__ import annotations

import re

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from core.crypto import BlindIndexField, blind_index
from core.crypto.blind_index import normalised
from core.errors import Forbidden, NotFound
from patients.models import (
    Campus,
    HisClient,
    Identifier,
    IdentifierKind,
    Patient,
)
from patients.models.patient import ID_NUMBER_TAIL

_ENDING = re.compile(rf"[0-9]{{{ID_NUMBER_TAIL - 1}}}[0-9X]", re.ASCII)
ID_NUMBER_PURPOSE = "patient id number"
PHONE_PURPOSE = "patient phone"


def id_number_index(value: str) -> str:
    """What `Patient.id_number_index` holds for a number; empty for none."""
    return blind_index(value, purpose=ID_NUMBER_PURPOSE) if value.strip() else ""


def id_number_tail(value: str) -> str | None:
    """What `Patient.id_number_tail` holds for a number; None for none and for a short one."""
    column: BlindIndexField = Patient._meta.get_field("id_number_tail")
    return column.index_of(value)


def id_number_ended(ending: str) -> str | None:
    """The same for the end of a number as it is said: five digits and a last digit or X."""
    text = normalised(ending)
    column: BlindIndexField = Patient._meta.get_field("id_number_tail")
    return blind_index(text, purpose=column.purpose) if _ENDING.fullmatch(text) else None


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
    """Everybody under a certificate number, oldest first; not the records joined to another."""
    index = id_number_index(id_number)
    if not index:
        return []
    rows = Patient.objects.filter(id_type=id_type, id_number_index=index, merged_into=None)
    return list(rows.order_by("pk"))


def hospital_name(campus_id: int | None = None) -> str:
    """What a message calls us: the campus it is about, else the hospital's common name.

    Without a common name in the settings a hospital is called by its first campus.
    """
    rows = Campus.objects.order_by("pk")
    name = rows.filter(pk=campus_id).values_list("name", flat=True).first() if campus_id else ""
    common: str = name or settings.HOSPITAL_HELP["name"]
    return common or rows.values_list("name", flat=True).first() or ""


def campus_for(*, client: HisClient, code: str, field: str = "campus") -> Campus:
    """The campus, if this client registers visits there; else NotFound or Forbidden."""
    own = HisClient.campuses.through.objects.filter(hisclient=client)
    rows = Campus.objects.annotate(
        is_own=Exists(own.filter(campus=OuterRef("pk"))), client_is_bound=Exists(own)
    )
    campus = rows.filter(code=code).first()
    if campus is None:
        raise NotFound("unknown_campus", _("No campus has this code."), field)
    if campus.client_is_bound and not campus.is_own:
        raise Forbidden(
            "foreign_campus", _("This token does not register visits at this campus."), field
        )
    return campus
