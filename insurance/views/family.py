"""The page where a person lets their insurance account pay for a child, spouse or parent."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from core import clock
from core.crypto import mask_name
from core.errors import NotOffered, Refusal
from core.models import User
from core.web_addresses import peer_address
from insurance.family import KINSHIPS, family_place, links_by, rule_at, sentences_of
from insurance.models import FamilyLink, FamilyRule
from insurance.services.family import family_account_link, family_account_unlink
from patients.actors import patient_actor
from patients.doors import patient_required, the_patient
from patients.models import Patient, PatientAccess, Relation


@dataclass(frozen=True, slots=True)
class Row:
    """One relative: whether the reader's account pays, and what keeps it from paying."""

    access: PatientAccess
    name: str
    link: FamilyLink | None
    missed: list[str]


@patient_required
@require_safe
def family_insurance(request: HttpRequest) -> HttpResponse:
    return _shown(request, the_patient(request))


@patient_required
@require_POST
def family_insurance_pays(request: HttpRequest, access_id: int) -> HttpResponse:
    """One tap: file it, or end it; what the insurer refuses is said on the same page."""
    user, on = the_patient(request), request.POST.get("on", "")
    own, relatives = _family(user)
    access = next((one for one in relatives if one.pk == access_id), None)
    if own is None or access is None or on not in {"0", "1"}:
        raise Http404
    by, address = patient_actor(user), peer_address(request)
    try:
        if on == "1":
            family_account_link(
                payer=own,
                member=access.patient,
                relation=access.relation,
                by=by,
                address=address,
            )
        else:
            family_account_unlink(payer=own, member_id=access.patient_id, by=by, address=address)
    except Refusal as refusal:
        return _shown(request, user, refusal=refusal)
    return HttpResponseRedirect(f"{reverse('family_insurance')}#with-{access.pk}", status=303)


def _shown(request: HttpRequest, user: User, *, refusal: Refusal | None = None) -> HttpResponse:
    own, relatives = _family(user)
    place = family_place()
    try:
        rule = rule_at(place, clock.today()) if place is not None else None
    except NotOffered:
        rule = None  # a region without a rule yet offers nothing
    if own is None or rule is None:
        return _not_offered(request, own, refusal)
    links = links_by(own.pk)
    context = {
        "rows": [_row(one, links.get(one.patient_id), rule) for one in relatives],
        "threshold_fen": rule.child_threshold_fen,
        "refusal": refusal,
    }
    return render(
        request, "insurance/family.html", context, status=refusal.status if refusal else 200
    )


def _not_offered(
    request: HttpRequest, own: Patient | None, refusal: Refusal | None
) -> HttpResponse:
    """Why there is nothing to switch here; an old link and a region that stopped lead here too."""
    status = refusal.status if refusal else 200
    return render(request, "insurance/family_off.html", {"own": own}, status=status)


def _row(access: PatientAccess, link: FamilyLink | None, rule: FamilyRule) -> Row:
    missed = sentences_of(link.refused, rule) if link else []
    return Row(access, mask_name(access.patient.name), link, missed)


def _family(user: User) -> tuple[Patient | None, list[PatientAccess]]:
    """The reader's own person, and the relatives they may pay for."""
    rows = PatientAccess.objects.live().filter(user=user).select_related("patient").order_by("pk")
    found = list(rows)
    own = next((one.patient for one in found if one.relation == Relation.SELF), None)
    return own, [one for one in found if one.may_pay and one.relation in KINSHIPS]
