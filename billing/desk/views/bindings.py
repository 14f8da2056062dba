"""Bindings and agreements of a patient at the window: seen, shown in the clear, and ended.

An end has a page of its own that says what it does before it is done; it asks for a reason.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.desk.doors import (
    END_AGREEMENT,
    END_BINDING,
    REVEAL_PATIENT,
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
from billing.desk.grants import Grants, agreement_of, binding_of, grants_of
from billing.desk.people import patient_get
from billing.desk.views.patients import REVEAL_REASONS, noted, reveal_reason, revealed
from billing.services.agreements.ends import agreement_end_by_staff
from billing.tasks import tell
from core.errors import BadInput, Refusal
from patients.models import Patient, Relation
from patients.services.access import access_end_at_desk


@require_GET
@staff_page(VIEW_PATIENT)
def bindings(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Who sees and pays for this person, also what ended; the look is recorded."""
    patient = patient_get(patient_id)
    looked_up(request, patient.pk, page="bindings")
    return _page(request, patient, grants_of(patient))


@require_POST
@staff_page(REVEAL_PATIENT)
def bindings_reveal(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The same page with the holders' names and phones in the clear, this once, on record."""
    reason = reveal_reason(request)
    patient = patient_get(patient_id)
    grants = grants_of(patient, open_data=True)
    revealed(request, patient, reason=reason, page="bindings", patients=grants.persons)
    return _page(request, patient, grants, open_data=True)


@require_http_methods(["GET", "POST"])
@staff_page(END_BINDING)
def binding_end(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Ask before a binding ends, then end it with a reason; both sides are told by message."""
    patient = patient_get(patient_id)
    row = binding_of(grants_of(patient), number(request, "access"))
    refusal: Refusal | None = None
    if not row.live:
        messages.warning(request, _("This binding has ended already."))
        return _back(patient)
    if request.method == "POST":
        try:
            reason = line(request, "reason")
            access_end_at_desk(access_id=row.access.pk, reason=reason, by=actor_of(request))
        except BadInput as found:
            refusal = found
        else:
            tell()
            messages.success(request, _("The binding has ended; both are told."))
            return _back(patient)
    else:
        looked_up(request, patient.pk, page="end_binding")
    own = row.access.relation == Relation.SELF
    return _ask(request, patient, "binding_end", _("End a binding"), refusal, row=row, own=own)


@require_http_methods(["GET", "POST"])
@staff_page(END_AGREEMENT)
def agreement_end(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Ask before an agreement ends, then end it with a reason; its holder is told."""
    patient = patient_get(patient_id)
    row = agreement_of(grants_of(patient), number(request, "agreement"))
    refusal: Refusal | None = None
    if not row.live:
        messages.warning(request, _("This agreement has ended already."))
        return _back(patient)
    if request.method == "POST":
        try:
            reason = line(request, "reason")
            ended = agreement_end_by_staff(
                agreement_id=row.agreement.pk, reason=reason, by=actor_of(request)
            )
        except BadInput as found:
            refusal = found
        else:
            tell()
            messages.success(request, _ended_words(asks=ended.channel_ended_at is None))
            return _back(patient)
    else:
        looked_up(request, patient.pk, page="end_agreement")
    return _ask(request, patient, "agreement_end", _("End an agreement"), refusal, row=row)


def _ended_words(*, asks: bool) -> str:
    if asks:
        return _("The agreement has ended here; the channel is asked until it confirms.")
    return _("The agreement has ended, also at the channel; its holder is told.")


def _back(patient: Patient) -> HttpResponse:
    return HttpResponseRedirect(reverse("desk_bindings", args=[patient.pk]), status=303)


def _page(
    request: HttpRequest, patient: Patient, grants: Grants, *, open_data: bool = False
) -> HttpResponse:
    context = {
        "title": _("Bindings and agreements"),
        "face": face_of(patient, full_name=rights_of(request).reveal),
        "grants": grants,
        "grant_reasons": {} if open_data else REVEAL_REASONS,
        "open_data": open_data,
        **noted(request),
    }
    return shown(request, "billing/desk/bindings.html", context)


def _ask(
    request: HttpRequest,
    patient: Patient,
    page: str,
    title: str,
    refusal: Refusal | None,
    **about: object,
) -> HttpResponse:
    context = {
        "title": title,
        "face": face_of(patient, full_name=rights_of(request).reveal),
        "refusal": refusal,
        "typed": request.POST.get("reason", ""),
        "search_first": False,
        **noted(request),
        **about,
    }
    status = refusal.status if refusal else 200
    return shown(request, f"billing/desk/{page}.html", context, status)
