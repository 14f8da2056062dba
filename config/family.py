"""The family page: who pays for me, for whom I pay, who sees my bills, each with what stands signed
and what went today. People are the patients' nouns and agreements billing's, so it stands here."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from billing.selectors.family_paying import Paying, agreement_for, family_paying
from billing.services.agreements.pauses import agreements_let_go
from billing.services.agreements.terms import agreement_people_set
from core.errors import NotFound
from core.models import User
from insurance.family import family_place
from patients.actors import patient_actor
from patients.doors import patient_required, the_patient
from patients.models import PatientAccess, Relation
from patients.selectors import FAMILY_MAX, access_of
from patients.selectors.family import Relative, family_of

# What has just happened, by the word in the address; any other word says nothing.
DONE = frozenset({"bound", "ended"})


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the page, and what one of the two pays for the other."""

    person: Relative
    paying: Paying


@patient_required
@require_safe
def family(request: HttpRequest) -> HttpResponse:
    found = family_of(the_patient(request))
    done = request.GET.get("done", "")
    both = (*found.pays_for_me, *found.i_pay_for)
    paying = family_paying({_pair(one.access) for one in both}) if both else {}
    context = {
        "family": found,
        "payers": [Row(one, paying[_pair(one.access)]) for one in found.pays_for_me],
        "wards": [Row(one, paying[_pair(one.access)]) for one in found.i_pay_for],
        "most": FAMILY_MAX,
        "insurance": found.own is not None and family_place() is not None,
        "done": done if done in DONE else "",
    }
    return render(request, "patients/family/show.html", context)


@patient_required
@require_POST
def family_pays(request: HttpRequest, access_id: int) -> HttpResponse:
    """The payer's own switch beside a person: their agreements pay for them, or no more."""
    user, on = the_patient(request), request.POST.get("on", "")
    access = next((one for one in access_of(user) if one.pk == access_id), None)
    if access is None or access.relation == Relation.SELF or on not in {"0", "1"}:
        raise Http404
    if on == "0":
        agreements_let_go(user=user, patient=access.patient, by=patient_actor(user))
    elif not _paid_again(user, access):
        return HttpResponseRedirect(reverse("agreement_new"), status=303)
    return HttpResponseRedirect(f"{reverse('family')}#ward-{access_id}", status=303)


def _paid_again(user: User, access: PatientAccess) -> bool:
    """Whether there was an agreement that could take this person in."""
    found = agreement_for(user, access.patient_id)
    if found is None or not access.may_pay:
        return False
    agreement_id, people = found
    try:
        agreement_people_set(
            user=user,
            agreement_id=agreement_id,
            patient_ids={*people, access.patient_id},
            by=patient_actor(user),
        )
    except NotFound as missing:
        raise Http404 from missing
    return True


def _pair(access: PatientAccess) -> tuple[int, int]:
    return access.user_id, access.patient_id
