"""The search box and the patient's page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from billing.desk.doors import (
    REVEAL_PATIENT,
    SEARCH_PATIENT,
    VIEW_PATIENT,
    actor_of,
    looked_up,
    rights_of,
    shown,
    staff_of,
    staff_page,
    whole,
)
from billing.desk.faces import face_of
from billing.desk.people import bill_rows, patient_get, patient_page
from billing.desk.search import KINDS, TEXT_LENGTH_MAX, Found, desk_find, search_text
from core import clock
from core.audit import record
from core.errors import BadInput, Forbidden
from core.web_addresses import peer_address
from patients.models import Patient

REVEAL_REASONS: dict[str, Promise] = {
    "check_document": gettext_lazy("compare with the document shown"),
    "call_back": gettext_lazy("call the patient"),
    "correct_data": gettext_lazy("correct the data"),
}


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Where a login leads: the search box, or the admin's own list for who may not search."""
    user = request.user
    if user.is_authenticated and user.is_staff and user.has_perm(SEARCH_PATIENT):
        return start(request)
    return admin.site.admin_view(admin.site.index)(request)


@staff_page(SEARCH_PATIENT)
def start(request: HttpRequest) -> HttpResponse:
    return shown(request, "billing/desk/start.html", {"title": _("Window"), "kinds": KINDS})


@require_http_methods(["GET", "POST"])
@staff_page(SEARCH_PATIENT)
def search(request: HttpRequest) -> HttpResponse:
    """Find by any number. A number in a POST stays out of logs and of the browser's history."""
    if request.method == "GET":
        return HttpResponseRedirect(reverse("admin:index"))
    typed = request.POST.get("q", "")
    context: dict[str, Any] = {"title": _("Search"), "kinds": KINDS}
    try:
        found = desk_find(search_text(typed))
    except BadInput as refusal:
        context |= {"refusal": refusal.message, "search_kept": _kept(typed)}
        return shown(request, "billing/desk/start.html", context, status=refusal.status)
    searched(request, found)
    if found.count == 1:
        return HttpResponseRedirect(_only(found))
    if not found.code_over:
        # A mistyped digit is mended, not typed again; a code that ran out helps nobody.
        context["search_kept"] = _kept(typed)
    full_name = rights_of(request).reveal
    hits = {
        "people": [(KINDS[by], face_of(row, full_name=full_name)) for by, row in found.people],
        "bills": list(
            zip(
                [KINDS[by] for by, _row in found.bills],
                bill_rows([row for _by, row in found.bills]),
                [face_of(row.patient, full_name=full_name) for _by, row in found.bills],
                strict=True,
            )
        ),
    }
    return shown(request, "billing/desk/start.html", {**context, **hits, "found": found})


def _kept(typed: str) -> str:
    """What stays in the box: what a keyboard types, as much as fits."""
    return typed.strip()[:TEXT_LENGTH_MAX] if typed.strip().isprintable() else ""


def searched(request: HttpRequest, found: Found) -> None:
    """Also a search that found nobody is evidence; what was typed is not kept."""
    people = {row.pk for _k, row in found.people} | {row.patient_id for _k, row in found.bills}
    record(
        by=actor_of(request),
        action="patient_search",
        subject="patients.patient",
        subject_id=min(people) if len(people) == 1 else "",
        detail={
            "by": found.kinds,
            "found": found.count,
            "patients": sorted(people),
        },
        address=peer_address(request),
    )


def _only(found: Found) -> str:
    if found.people:
        kind, patient = found.people[0]
        return f"{reverse('desk_patient', args=[patient.pk])}?by={kind}"
    kind, invoice = found.bills[0]
    return f"{reverse('desk_bill', args=[invoice.pk])}?by={kind}"


@require_GET
@staff_page(VIEW_PATIENT)
def patient_show(request: HttpRequest, patient_id: int) -> HttpResponse:
    """One patient: identity, sums, bills, who pays, today."""
    patient = patient_get(patient_id)
    page = patient_page(
        patient,
        full_name=rights_of(request).reveal,
        before=whole(request, "before"),
    )
    looked_up(request, patient.pk, page="patient", by=kind_of(request))
    context = {"title": _("Patient"), "page": page, "reasons": REVEAL_REASONS}
    return shown(request, "billing/desk/patient.html", {**context, **noted(request)})


@require_POST
@staff_page(VIEW_PATIENT)
def patient_reveal(request: HttpRequest, patient_id: int) -> HttpResponse:
    """The same page with number and phone in the clear, this once, with the reason on record."""
    if not staff_of(request).has_perm(REVEAL_PATIENT):
        raise Forbidden("no_right", _("You do not hold the right to see this."))
    reason = reveal_reason(request)
    patient = patient_get(patient_id)
    revealed(request, patient, reason=reason)
    page = patient_page(patient, full_name=True, open_data=True)
    context = {"title": _("Patient"), "page": page, "reasons": REVEAL_REASONS}
    return shown(request, "billing/desk/patient.html", {**context, **noted(request)})


def reveal_reason(request: HttpRequest) -> str:
    """Why somebody wants to read a person's data in the clear; one of the list, or BadInput."""
    reason = request.POST.get("reason", "")
    if reason not in REVEAL_REASONS:
        raise BadInput("reason_missing", _("Choose why you need it."))
    return reason


def revealed(request: HttpRequest, patient: Patient, **detail: object) -> None:
    """Put on record who reads what in the clear, before it is shown."""
    record(
        by=actor_of(request),
        action="patient_reveal",
        subject="patients.patient",
        subject_id=patient.pk,
        detail=detail,
        address=peer_address(request),
    )


def kind_of(request: HttpRequest) -> str:
    """By what the page was reached; a word of ours or "link"."""
    kind = request.GET.get("by", "")
    return kind if kind in KINDS else "link"


def noted(request: HttpRequest) -> dict[str, Any]:
    """The audit note every page of a patient carries."""
    return {"noted_by": actor_of(request).name, "noted_at": clock.now()}
