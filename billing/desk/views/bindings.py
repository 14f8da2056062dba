"""The bindings of a patient at the window: seen, and ended with a reason."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.desk.doors import (
    VIEW_PATIENT,
    actor_of,
    line,
    looked_up,
    rights_of,
    shown,
    staff_of,
    staff_page,
)
from billing.desk.faces import face_of
from billing.tasks import tell
from core.errors import BadInput, NotFound, Refusal
from patients.models import Patient, PatientAccess
from patients.selectors.desk_bindings import bindings_of_patient
from patients.services.access import access_end_at_desk

END_BINDING = "patients.change_patientaccess"


@require_http_methods(["GET"])
@staff_page(VIEW_PATIENT)
def bindings(request: HttpRequest, patient_id: int) -> HttpResponse:
    """Who sees and pays for this person; the look is recorded."""
    return _page(request, patient_id)


@require_POST
@staff_page(END_BINDING)
def binding_end(request: HttpRequest, patient_id: int) -> HttpResponse:
    """End one of them, with a reason; both sides are told by message."""
    pk = request.POST.get("access", "")
    known = PatientAccess.objects.filter(patient=patient_id)
    access = known.filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() else None
    if access is None:
        raise NotFound("access_unknown", _("There is no such binding here."))
    try:
        access_end_at_desk(
            access_id=access.pk, reason=line(request, "reason"), by=actor_of(request)
        )
    except BadInput as refusal:
        return _page(request, patient_id, refusal)
    tell()
    messages.success(request, _("The binding has ended; both are told."))
    return HttpResponseRedirect(reverse("desk_bindings", args=[patient_id]), status=303)


def _page(request: HttpRequest, patient_id: int, refusal: Refusal | None = None) -> HttpResponse:
    people = Patient.objects.select_related("guardian").prefetch_related("identifiers")
    patient = people.filter(pk=patient_id).first()
    if patient is None:
        raise NotFound("patient_unknown", _("There is no such record."))
    looked_up(request, patient_id, page="bindings")
    context = {
        "title": _("Bindings"),
        "face": face_of(patient, full_name=rights_of(request).reveal),
        "rows": bindings_of_patient(patient),
        "may_end": staff_of(request).has_perm(END_BINDING),
        "refusal": refusal,
        "typed": request.POST.get("reason", ""),
    }
    return shown(request, "billing/desk/bindings.html", context, refusal.status if refusal else 200)
