"""A patient's insurance at the window: where insured, what is filed, and filing without a phone.

Nothing is asked of the insurer by opening the page; every press is one question or one filing.
"""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.desk.doors import (
    FILE_FILING,
    VIEW_PATIENT,
    actor_of,
    line,
    looked_up,
    number,
    rights_of,
    shown,
    staff_page,
)
from billing.desk.faces import face_of
from billing.desk.people import patient_get
from billing.desk.views.patients import noted
from core.actors import Actor
from core.errors import BadInput, NotFound, NotOffered, Refusal
from core.web_addresses import peer_address
from insurance import filings
from insurance.admin_words import SCHEME_WORDS
from insurance.areas import area_name
from insurance.models import Filing, FilingStatus
from insurance.services.filings import (
    ChronicWish,
    away_file,
    chronic_file,
    filing_end,
    rights_ask,
)
from insurance.services.filings.answers import filing_sentence
from patients.models import Patient


@require_GET
@staff_page(VIEW_PATIENT)
def patient_insurance(request: HttpRequest, patient_id: int) -> HttpResponse:
    """What is known; the look is recorded."""
    patient = patient_get(patient_id)
    looked_up(request, patient.pk, page="insurance")
    return _page(request, patient)


@require_POST
@staff_page(FILE_FILING)
def patient_insurance_act(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Ask the insurer, file, or take a filing back; how it ended stands on the page."""
    patient = patient_get(patient_id)
    try:
        row = _acted(request, patient)
    except NotFound:
        raise
    except Refusal as refusal:
        return _page(request, patient, refusal)
    if row is not None:
        _tell(request, row)
    return HttpResponseRedirect(reverse("desk_insurance", args=[patient.pk]), status=303)


def _acted(request: HttpRequest, patient: Patient) -> Filing | None:
    act, by, address = request.POST.get("act", ""), actor_of(request), peer_address(request)
    if act == "ask":
        _asked(request, patient)
        return None
    promised = request.POST.get("promised") == "yes"
    if act == "away":
        return away_file(
            patient=patient,
            way=request.POST.get("way", ""),
            promised=promised,
            by=by,
            address=address,
        )
    if act == "chronic":
        return chronic_file(
            patient=patient, wish=_wish(request), promised=promised, by=by, address=address
        )
    if act == "end":
        return _taken_back(patient, number(request, "filing"), by, address)
    raise BadInput("unknown_act", _("There is no such button."), "act")


def _asked(request: HttpRequest, patient: Patient) -> None:
    place = filings.rights_place()
    if place is None:
        raise NotOffered("no_filing", _("Nothing is filed at the insurer here."))
    looked_up(request, patient.pk, page="insurance_ask")
    rights_ask(patient=patient, place=place)


def _taken_back(patient: Patient, filing_id: int, by: Actor, address: str) -> Filing:
    row = filings.filing_of(filing_id, [patient.pk])
    if row is None:
        raise NotFound("unknown_filing", _("There is no such filing of this patient."))
    return filing_end(filing_id=row.pk, by=by, address=address)


def _wish(request: HttpRequest) -> ChronicWish:
    typed = line(request, "found_on")
    try:
        found_on = date.fromisoformat(typed)
    except ValueError as error:
        raise BadInput("found_on_missing", _("Give the day it was found."), "found_on") from error
    return ChronicWish(
        disease_code=line(request, "disease_code"),
        disease_name=line(request, "disease_name"),
        doctor_code=line(request, "doctor_code"),
        doctor_name=line(request, "doctor_name"),
        found_on=found_on,
    )


def _tell(request: HttpRequest, row: Filing) -> None:
    """How it ended, in one line above the page."""
    said = filing_sentence(row)
    if said:
        messages.warning(request, str(said))
    elif row.status in Filing.IN_DOUBT:
        messages.warning(request, _("The insurer has not answered; it is asked until it is known."))
    elif row.status == FilingStatus.ENDED:
        messages.success(request, _("The filing is taken back."))
    else:
        messages.success(request, _("It is filed."))


def _page(request: HttpRequest, patient: Patient, refusal: Refusal | None = None) -> HttpResponse:
    place = filings.rights_place()
    rights = filings.rights_of(patient.pk, place) if place else None
    context = {
        "title": _("Insurance"),
        "face": face_of(patient, full_name=rights_of(request).reveal),
        "insured": rights,
        "coverages": [
            (SCHEME_WORDS.get(one.scheme, one.scheme), area_name(one.insured_area), one)
            for one in rights.coverages
        ]
        if rights
        else [],
        "filed": [(one, filings.what_of(one), filing_sentence(one)) for one in rights.filings]
        if rights
        else [],
        "ways": filings.ways_of(place.region) if place and rights and rights.fileable else (),
        "chronic": bool(place and filings.reachable(place.region, filings.CHRONIC_CODES)),
        "refusal": refusal,
        "typed": request.POST,
        **noted(request),
    }
    status = refusal.status if refusal else 200
    return shown(request, "billing/desk/insurance.html", context, status)
