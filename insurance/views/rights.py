"""A person's insurance: where they are insured, what is filed for them, and filing care here.

One reads and files for oneself, and for whom one may both see and pay. Anybody else's number is no
page of theirs.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import clock
from core.errors import BadInput, Refusal
from core.models import User
from core.page_faults import faults_of
from core.web_addresses import peer_address
from insurance import filings
from insurance.admin_words import SCHEME_WORDS
from insurance.areas import area_name
from insurance.filings import PersonRights, Way
from insurance.models import Coverage, Filing, FilingKind, FilingStatus
from insurance.services.filings import away_file, filing_end, rights_ask
from insurance.services.filings.answers import filing_sentence
from patients.actors import patient_actor
from patients.doors import patient_required, the_patient
from patients.models import PatientAccess, Relation
from patients.selectors import access_of
from patients.views.card import PERSON, chosen_among, name_of

REFRESH_S = 5
WAY, PROMISED = "way", "promised"


@patient_required
@require_safe
def insurance_rights(request: HttpRequest) -> HttpResponse:
    """What is known; the insurer is asked only by a press."""
    people = rights_people(the_patient(request))
    return _shown(request, people, chosen_among(people, request.GET.get(PERSON, "")))


@patient_required
@require_POST
def insurance_rights_ask(request: HttpRequest) -> HttpResponse:
    """Ask the insurer who this is and what is filed."""
    people = rights_people(the_patient(request))
    chosen = chosen_among(people, request.POST.get(PERSON, ""))
    place = filings.rights_place()
    if chosen is None or place is None:
        return HttpResponseRedirect(reverse("insurance_rights"), status=303)
    try:
        rights_ask(patient=chosen.patient, place=place)
    except Refusal as refusal:
        return _shown(request, people, chosen, refusal)
    return HttpResponseRedirect(_rights_of(chosen), status=303)


@patient_required
@require_http_methods(["GET", "HEAD", "POST"])
def filing_new(request: HttpRequest) -> HttpResponse:
    """Why, then what is filed and the promise that it is true: one question a page."""
    user = the_patient(request)
    data = request.POST if request.method == "POST" else request.GET
    chosen = chosen_among(rights_people(user), data.get(PERSON, ""))
    place = filings.rights_place()
    if chosen is None or place is None:
        return HttpResponseRedirect(reverse("insurance_rights"), status=303)
    rights = filings.rights_of(chosen.patient_id, place)
    way = next((one for one in filings.ways_of(place.region) if one.way == data.get(WAY)), None)
    if request.method != "POST":
        if not rights.fileable:
            return HttpResponseRedirect(_rights_of(chosen), status=303)
        return _form(request, chosen, rights, way)
    try:
        row = away_file(
            patient=chosen.patient,
            way=data.get(WAY, ""),
            promised=data.get(PROMISED) == "yes",
            by=patient_actor(user),
            address=peer_address(request),
        )
    except Refusal as refusal:
        return _form(request, chosen, rights, way, refusal)
    return HttpResponseRedirect(reverse("filing_show", args=[row.pk]), status=303)


@patient_required
@require_safe
def filing_show(request: HttpRequest, filing_id: int) -> HttpResponse:
    """Filed, in progress or not filed; while in progress the page looks again by itself."""
    row, chosen = _filing(the_patient(request), filing_id)
    waiting = row.status in Filing.IN_DOUBT
    if request.headers.get("HX-Request") == "true":
        answer = HttpResponse(status=204 if waiting else 200)
        if not waiting:
            answer.headers["HX-Refresh"] = "true"
        return answer
    context = {
        **_told(row, chosen),
        "refresh_s": REFRESH_S if waiting else 0,
        "endable": row.status == FilingStatus.FILED and bool(row.filing_no),
    }
    return render(request, "insurance/filing.html", context)


@patient_required
@require_http_methods(["GET", "HEAD", "POST"])
def filing_take_back(request: HttpRequest, filing_id: int) -> HttpResponse:
    """Ask before a filing is taken back, then take it back."""
    user = the_patient(request)
    row, chosen = _filing(user, filing_id)
    back = HttpResponseRedirect(reverse("filing_show", args=[row.pk]), status=303)
    # What a doctor found is taken back where it was filed, at the window.
    if row.status != FilingStatus.FILED or row.kind != FilingKind.AWAY:
        return back
    if request.method != "POST":
        return render(request, "insurance/filing_end.html", _told(row, chosen))
    filing_end(filing_id=row.pk, by=patient_actor(user), address=peer_address(request))
    return back


def rights_people(user: User) -> list[PatientAccess]:
    """For whom this user reads and files: themselves, and whom they may both see and pay."""
    return [
        one
        for one in access_of(user)
        if one.relation == Relation.SELF or (one.sees and one.may_pay)
    ]


def _filing(user: User, filing_id: int) -> tuple[Filing, PatientAccess]:
    people = {one.patient_id: one for one in rights_people(user)}
    row = filings.filing_of(filing_id, list(people))
    if row is None:
        raise Http404
    return row, people[row.patient_id]


def _told(row: Filing, chosen: PatientAccess) -> dict[str, Any]:
    return {
        "row": row,
        "chosen": chosen,
        "name": name_of(chosen),
        "what": filings.what_of(row),
        "home": area_name(row.insured_area),
        "here": area_name(row.care_area) if row.care_area else "",
        "sentence": filing_sentence(row),
        "rights": _rights_of(chosen),
    }


def _shown(
    request: HttpRequest,
    people: list[PatientAccess],
    chosen: PatientAccess | None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    place = filings.rights_place()
    rights = filings.rights_of(chosen.patient_id, place) if chosen and place else None
    context = {
        "people": [(one, name_of(one)) for one in people],
        "chosen": chosen,
        "name": name_of(chosen) if chosen else "",
        "known": bool(chosen and chosen.patient.id_number),
        "rights": rights,
        "coverages": [(_scheme(one), one.active) for one in rights.coverages] if rights else [],
        "earlier": [(one, filings.what_of(one)) for one in rights.filings] if rights else [],
        "files": bool(place and filings.files_away(place.region)),
        "refusal": refusal,
    }
    status = refusal.status if refusal else 200
    return render(request, "insurance/rights.html", context, status=status)


def _scheme(coverage: Coverage) -> str | Promise:
    return SCHEME_WORDS.get(coverage.scheme, coverage.scheme)


def _form(
    request: HttpRequest,
    chosen: PatientAccess,
    rights: PersonRights,
    way: Way | None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    today = clock.today()
    ways = filings.ways_of(rights.place.region)
    context = {
        "chosen": chosen,
        "name": name_of(chosen),
        "home": rights.home,
        "here": area_name(rights.place.region.area),
        "hospital_name": rights.place.name,
        "way": way,
        "from_day": today,
        "until_day": way.until(today) if way else None,
        "ways": [(one, one.until(today)) for one in ways],
        "faults": faults_of(refusal, linked=isinstance(refusal, BadInput)),
        "refusal": refusal,
        "back": _rights_of(chosen),
    }
    return render(
        request, "insurance/filing_new.html", context, status=refusal.status if refusal else 200
    )


def _rights_of(chosen: PatientAccess) -> str:
    return f"{reverse('insurance_rights')}?{PERSON}={chosen.patient_id}"
