"""The switches of the family page, and the end of a binding."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import NotFound
from patients.actors import patient_actor
from patients.doors import patient_required, the_patient
from patients.models import Relation
from patients.selectors.family import access_endable, relative_of
from patients.services.access import GRANTS, access_end, access_grant_set


@patient_required
@require_POST
def family_grant(request: HttpRequest, access_id: int) -> HttpResponse:
    """One switch: it takes effect at once, and is undone by itself."""
    user, grant = the_patient(request), request.POST.get("grant", "")
    granted = request.POST.get("granted", "")
    if grant not in GRANTS or granted not in {"0", "1"}:
        raise Http404
    try:
        access_grant_set(
            user=user,
            access_id=access_id,
            grant=grant,
            granted=granted == "1",
            by=patient_actor(user),
        )
    except NotFound as missing:
        raise Http404 from missing
    return HttpResponseRedirect(f"{reverse('family')}#{grant}-{access_id}", status=303)


@patient_required
@require_http_methods(["GET", "HEAD", "POST"])
def family_end(request: HttpRequest, access_id: int) -> HttpResponse:
    """Ask once, then end the binding."""
    user = the_patient(request)
    if request.method == "POST":
        try:
            access_end(user=user, access_id=access_id, by=patient_actor(user))
        except NotFound as missing:
            raise Http404 from missing
        return HttpResponseRedirect(f"{reverse('family')}?done=ended", status=303)
    access = access_endable(user=user, access_id=access_id)
    if access is None:
        raise Http404
    context = {
        "row": relative_of(user, access),
        "own": access.relation == Relation.SELF,
        "by_patient": access.user_id != user.pk,
    }
    return render(request, "patients/family/end.html", context)
