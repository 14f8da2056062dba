"""Consent pages: the first question of all, the list, and one text with its two answers.

Nothing is chosen beforehand: each answer is a button of its own, of equal size.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from core.errors import BadInput, Refusal
from core.page_faults import faults_of
from core.web_addresses import peer_address
from patients.actors import patient_actor
from patients.doors import (
    next_of,
    signed_in_required,
    the_patient,
)
from patients.models import ConsentPurpose
from patients.selectors import consent_history, consent_of, consents_of
from patients.services.consents import consent_give, consent_withdraw


@signed_in_required
@require_http_methods(["GET", "HEAD", "POST"])
def consent_first(request: HttpRequest) -> HttpResponse:
    """May we use your data? Yes leads on to where the visitor wanted, no to the way without us."""
    user = the_patient(request)
    answer = request.POST.get("answer", "")
    if answer == "no":
        return HttpResponseRedirect(reverse("consent_refused"), status=303)
    if answer == "yes":
        try:
            _give(request, ConsentPurpose.PRIVACY)
        except Refusal as refusal:
            return _first_page(request, refusal)
    if consent_of(user=user, purpose=ConsentPurpose.PRIVACY).given:
        return HttpResponseRedirect(next_of(request) or reverse("home"), status=303)
    return _first_page(request)


def _first_page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    state = consent_of(user=the_patient(request), purpose=ConsentPurpose.PRIVACY)
    context = {"state": state, "next": next_of(request), "faults": faults_of(refusal, linked=False)}
    status = refusal.status if refusal else 200
    return render(request, "patients/consents/first.html", context, status=status)


@signed_in_required
@require_safe
def consent_refused(request: HttpRequest) -> HttpResponse:
    """Everything goes on without a phone: where, when, with what."""
    return render(request, "patients/consents/refused.html")


@signed_in_required
@require_safe
def consents(request: HttpRequest) -> HttpResponse:
    """What this person agreed to, and what they were never asked or said no to."""
    context = {"states": consents_of(the_patient(request))}
    return render(request, "patients/consents/list.html", context)


@signed_in_required
@require_http_methods(["GET", "HEAD", "POST"])
def consent_show(request: HttpRequest, purpose: str) -> HttpResponse:
    """One text: give it, or take it back. Both stand on the page, with what follows from them."""
    if purpose not in ConsentPurpose.values:
        raise Http404(purpose)
    answer, refusal = request.POST.get("answer", ""), None
    if request.method == "POST":
        try:
            _answered(request, purpose, answer)
            return HttpResponseRedirect(_after(request, purpose, answer), status=303)
        except Refusal as refused:
            refusal = refused
    user = the_patient(request)
    context = {
        "state": consent_of(user=user, purpose=purpose),
        "history": consent_history(user=user, purpose=purpose),
        "next": next_of(request),
        "faults": faults_of(refusal, linked=False),
    }
    status = refusal.status if refusal else 200
    return render(request, "patients/consents/show.html", context, status=status)


def _answered(request: HttpRequest, purpose: str, answer: str) -> None:
    user = the_patient(request)
    if answer == "yes":
        _give(request, purpose)
    elif answer == "withdraw":
        consent_withdraw(
            user=user, purpose=purpose, by=patient_actor(user), address=peer_address(request)
        )


def _after(request: HttpRequest, purpose: str, answer: str) -> str:
    """Whoever took back the first consent of all is shown the way without us; what they allowed
    besides can still be seen, taken back and ended."""
    if purpose == ConsentPurpose.PRIVACY and answer == "withdraw":
        return reverse("consent_refused")
    return next_of(request) or reverse("consents")


def _give(request: HttpRequest, purpose: str) -> None:
    """Only a yes to the words that were on the screen; a form without them says nothing."""
    shown = request.POST.get("text", "")
    if not shown:
        raise BadInput("text_missing", _("The text has changed. Read it again, then choose."))
    user = the_patient(request)
    consent_give(
        user=user,
        purpose=purpose,
        by=patient_actor(user),
        text_hash=shown,
        address=peer_address(request),
    )
