"""The door of a tag: the phone touches it, and the code is there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from patients.doors import patient_required, the_patient
from patients.models import Location
from patients.selectors.cards import location_find
from patients.services.tags import tag_touch_record
from patients.views.card import Beside, card_page, nothing_beside


@require_safe
def tag(request: HttpRequest, code: str, beside: Beside = nothing_beside) -> HttpResponse:
    """A tag nobody uses says so to everybody; any other asks for the sign-in and comes back."""
    location = location_find(code)
    if location is None:
        return render(request, "patients/cards/no_tag.html", status=404)
    return _touched(request, location, beside)


@patient_required
def _touched(request: HttpRequest, location: Location, beside: Beside) -> HttpResponse:
    user = the_patient(request)
    if request.method == "GET":
        tag_touch_record(user=user, location=location)
    return card_page(request, user, location, beside)
