"""The electronic card (就诊码): one code, large, for a minute."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from core.crypto import mask_id, mask_name
from core.models import User
from patients.card_codes import LIFETIME, card_code_new
from patients.models import Location, PatientAccess, Relation
from patients.selectors.cards import card_people

PERSON = "person"
_GROUPS_FROM = 12
# What stands beside the code of a reader's person: the apps above this one know of bills.
Beside = Callable[[User, PatientAccess], dict[str, object]]


def nothing_beside(_user: User, _person: PatientAccess) -> dict[str, object]:
    return {}


def card_page(
    request: HttpRequest, user: User, location: Location | None, beside: Beside = nothing_beside
) -> HttpResponse:
    """The code of one person; `person` in the address chooses among those one may show."""
    people = card_people(user)
    chosen = chosen_among(people, request.GET.get(PERSON, ""))
    context: dict[str, object] = {
        "location": location,
        "people": [(one, name_of(one)) for one in people],
        "chosen": chosen,
    }
    if chosen is not None:
        patient = chosen.patient
        context |= {
            "code": card_code_new(patient.pk),
            "seconds": int(LIFETIME.total_seconds()),
            "name": name_of(chosen),
            "number": grouped_id(patient.id_number),
            "again": f"{request.path}?{PERSON}={patient.pk}",
            **beside(user, chosen),
        }
    return render(request, "patients/cards/show.html", context)


def chosen_among(people: list[PatientAccess], wanted: str) -> PatientAccess | None:
    """The first is the user's own; anybody else's number is no page of theirs."""
    if not wanted:
        return people[0] if people else None
    found = next((one for one in people if str(one.patient_id) == wanted), None)
    if found is None:
        raise Http404
    return found


def name_of(access: PatientAccess) -> str:
    """One's own name in full, anybody else's masked: a phone is read over shoulders."""
    own = access.relation == Relation.SELF
    return access.patient.name if own else mask_name(access.patient.name)


def grouped_id(number: str) -> str:
    """3305 **** **** 1024: ends only, whatever the length."""
    masked = mask_id(number)
    long = len(masked) >= _GROUPS_FROM
    return f"{masked[:4]} **** **** {masked[-4:]}" if long else masked
