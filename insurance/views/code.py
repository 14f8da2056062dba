"""The insurance code (医保码): the wallet shows it; the portal leads there, or asks for the visit.

A hospital cannot draw somebody's insurance code. It can open the wallet that does, and it can ask
the insured on the phone to allow the visit, after which nothing is shown at all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from core import clock
from core.errors import Refusal
from core.models import User
from core.web_addresses import peer_address
from insurance.services.wallet import permission_ask, permission_take
from insurance.wallet import insured_today, place_asked
from patients.actors import patient_actor
from patients.doors import patient_required, the_patient
from patients.models import PatientAccess
from patients.selectors.cards import card_people
from patients.views.card import PERSON, chosen_among, grouped_id, name_of

ASKED = "insurance_asked"
ASKED_LIFETIME = timedelta(minutes=10)
NUMBER_MAX = 64


@patient_required
@require_safe
def insurance_code(request: HttpRequest) -> HttpResponse:
    """What stands for today's visit, the way to make it stand, and the way to the code."""
    return _shown(request, the_patient(request))


@patient_required
@require_safe
def insurance_code_ask(request: HttpRequest) -> HttpResponse:
    """To the insurer's page; nothing is allowed by opening it."""
    chosen = chosen_among(card_people(the_patient(request)), request.GET.get(PERSON, ""))
    today = insured_today(chosen.patient_id) if chosen else None
    if chosen is None or today is None or not today.askable:
        return _back_to(chosen)
    back = request.build_absolute_uri(reverse("insurance_code_back"))
    number, address = permission_ask(institution=today.institution, back=back)
    request.session[ASKED] = {
        "number": number,
        "patient": chosen.patient_id,
        "institution": today.institution.pk,
        "at": clock.now().isoformat(),
    }
    return HttpResponseRedirect(address)


@patient_required
@require_safe
def insurance_code_back(request: HttpRequest) -> HttpResponse:
    """From the insurer's page: a permission is taken once, and only by the browser that asked."""
    user = the_patient(request)
    asked: Any = request.session.pop(ASKED, None) if request.method == "GET" else None
    given = {name: request.GET.get(name, "") for name in ("outBizNo", "authNo")}
    institution = place_asked(asked["institution"]) if _fits(asked, given["outBizNo"]) else None
    if institution is None:
        return HttpResponseRedirect(reverse("insurance_code"))
    chosen = chosen_among(card_people(user), str(asked["patient"]))
    if chosen is None:
        raise Http404
    if not 0 < len(given["authNo"]) <= NUMBER_MAX:
        return _back_to(chosen)  # refused there: a choice, and nothing to be said about
    try:
        permission_take(
            institution=institution,
            patient_id=chosen.patient_id,
            number=given["outBizNo"],
            auth_no=given["authNo"],
            by=patient_actor(user),
            address=peer_address(request),
        )
    except Refusal as refusal:
        return _shown(request, user, chosen=chosen, refusal=refusal)
    return _back_to(chosen)


def _shown(
    request: HttpRequest,
    user: User,
    *,
    chosen: PatientAccess | None = None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    people = card_people(user)
    chosen = chosen or chosen_among(people, request.GET.get(PERSON, ""))
    if chosen is None:
        return HttpResponseRedirect(reverse("card"))
    today = insured_today(chosen.patient_id)
    if today is None or not today.institution.region.wallet_url:
        return HttpResponseRedirect(f"{reverse('card')}?{PERSON}={chosen.patient_id}")
    context = {
        "people": [(one, name_of(one)) for one in people],
        "chosen": chosen,
        "name": name_of(chosen),
        "number": grouped_id(chosen.patient.id_number),
        "known": bool(chosen.patient.id_number),
        "today": today,
        "wallet_url": today.institution.region.wallet_url,
        "refusal": refusal,
    }
    return render(
        request, "insurance/code.html", context, status=refusal.status if refusal else 200
    )


def _fits(asked: Any, number: str) -> bool:
    """Whether this is the answer to the question this browser asked a moment ago."""
    if not isinstance(asked, dict) or not number or asked.get("number") != number:
        return False
    return clock.now() - datetime.fromisoformat(asked["at"]) <= ASKED_LIFETIME


def _back_to(chosen: PatientAccess | None) -> HttpResponseRedirect:
    query = f"?{PERSON}={chosen.patient_id}" if chosen else ""
    return HttpResponseRedirect(reverse("insurance_code") + query)
