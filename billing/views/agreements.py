"""What was signed: the list with its switches, one agreement, its people, limits, order and end."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.forms import LimitsForm, PeopleForm, faults_of
from billing.models import AgreementStatus
from billing.selectors.agreements import (
    LIVE,
    AgreementRow,
    agreements_of,
    deductions_of,
    payable_people,
)
from billing.services.agreements.ends import agreement_end_by_holder
from billing.services.agreements.pauses import agreement_prefer, agreement_switch
from billing.services.agreements.terms import agreement_limits_set, agreement_people_set
from billing.views.agreement_pages import by_holder, by_holder_always, number, shown, to
from core.errors import Conflict, Refusal
from patients.actors import patient_actor
from patients.doors import signed_in_required, the_patient
from patients.models import ConsentPurpose
from patients.selectors import consents_of

# Where the consent is given without which nothing goes on.
ASKED_FIRST: dict[str, tuple[str, list[str]]] = {
    "privacy_missing": ("consent_first", []),
    "consent_missing": ("consent_show", [ConsentPurpose.DEDUCTION.value]),
}
BANNERS = ("paused", "resumed", "ended", "changed")


@signed_in_required
@require_safe
def agreements(request: HttpRequest) -> HttpResponse:
    return _list(request)


def _list(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    user = the_patient(request)
    rows = agreements_of(user)
    live = [row for row in rows if row.agreement.status in LIVE]
    done = request.GET.get("done", "")
    consents = {state.purpose: state for state in consents_of(user)}
    context = {
        "live": live,
        "signing": [row for row in rows if row.agreement.status == AgreementStatus.SIGNING],
        "ended": [row for row in rows if row.agreement.status == AgreementStatus.ENDED],
        "privacy": consents[ConsentPurpose.PRIVACY],
        "consent": consents[ConsentPurpose.DEDUCTION],
        "done": done if done in BANNERS else "",
    }
    return shown(request, "list", context, refusal)


@by_holder_always
@require_safe
def agreement_show(request: HttpRequest, row: AgreementRow) -> HttpResponse:
    if row.agreement.status == AgreementStatus.SIGNING:
        return to("agreement_result", row.agreement.pk)
    return _one(request, row)


def _one(request: HttpRequest, row: AgreementRow, refusal: Refusal | None = None) -> HttpResponse:
    others = [
        one.agreement for one in agreements_of(the_patient(request)) if one.agreement.status in LIVE
    ]
    places = [one.pk for one in others]
    place = places.index(row.agreement.pk) + 1 if row.agreement.pk in places else 0
    done = request.GET.get("done", "")
    context = {
        "row": row,
        "place": place,
        "several": len(others) > 1,
        "done": done if done in BANNERS else "",
    }
    return shown(request, "show", context, refusal)


@by_holder_always
@require_POST
def agreement_switched(request: HttpRequest, row: AgreementRow) -> HttpResponse:
    """Pause or go on, at once; the list then says what it is now."""
    user, on = the_patient(request), request.POST.get("on") == "yes"
    try:
        agreement_switch(user=user, agreement_id=row.agreement.pk, on=on, by=patient_actor(user))
    except Conflict as refusal:
        if refusal.code in ASKED_FIRST:
            name, args = ASKED_FIRST[refusal.code]
            back = reverse("agreements")
            return HttpResponseRedirect(f"{reverse(name, args=args)}?next={back}", status=303)
        return _list(request, refusal)
    done = "resumed" if on else "paused"
    return HttpResponseRedirect(f"{reverse('agreements')}?done={done}", status=303)


@by_holder
@require_POST
def agreement_first(request: HttpRequest, row: AgreementRow) -> HttpResponse:
    """Deduct from this one before the others."""
    user = the_patient(request)
    try:
        agreement_prefer(user=user, agreement_id=row.agreement.pk, by=patient_actor(user))
    except Refusal as refusal:
        return _one(request, row, refusal)
    return to("agreement_show", row.agreement.pk, done="changed")


@by_holder
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_people(request: HttpRequest, row: AgreementRow) -> HttpResponse:
    """For whom it pays: one question, one page."""
    user, agreement = the_patient(request), row.agreement
    people = payable_people(user, (one.patient_id for one in row.people))
    posted = request.method == "POST"
    form = PeopleForm(request.POST if posted else None, people=people)
    refusal: Refusal | None = None
    if posted and form.is_valid():
        try:
            agreement_people_set(
                user=user,
                agreement_id=agreement.pk,
                patient_ids=form.cleaned_data["people"],
                by=patient_actor(user),
            )
            return to("agreement_show", agreement.pk, done="changed")
        except Refusal as refused:
            refusal = refused
    sent = request.POST.getlist("people")
    now = sent if posted else [str(one.patient_id) for one in people if one.chosen]
    context: dict[str, Any] = {"row": row, "people": people, "sent": now}
    if posted and refusal is None:
        context["faults"] = faults_of(form, ["people"])
    return shown(request, "people", context, refusal)


@by_holder
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_limits(request: HttpRequest, row: AgreementRow) -> HttpResponse:
    """The payer's own limits: one question, one page."""
    user, agreement = the_patient(request), row.agreement
    start = {"single": agreement.own_single_fen, "daily": agreement.own_daily_fen}
    sent = request.POST if request.method == "POST" else None
    form = LimitsForm(sent, plan=agreement.plan, initial=start)
    refusal: Refusal | None = None
    if sent is not None and form.is_valid():
        try:
            agreement_limits_set(
                user=user,
                agreement_id=agreement.pk,
                limits=form.limits,
                by=patient_actor(user),
            )
            return to("agreement_show", agreement.pk, done="changed")
        except Refusal as refused:
            refusal = refused
    context: dict[str, Any] = {"row": row, "form": form, "plan": agreement.plan}
    if sent is not None and refusal is None:
        context["faults"] = faults_of(form, ["single", "daily"])
    return shown(request, "limits", context, refusal)


@by_holder_always
@require_http_methods(["GET", "HEAD", "POST"])
def agreement_ended(request: HttpRequest, row: AgreementRow) -> HttpResponse:
    """Asked once, with what follows; then it has ended, whatever the channel answers."""
    user, agreement = the_patient(request), row.agreement
    if agreement.status == AgreementStatus.ENDED:
        return to("agreement_show", agreement.pk)
    if request.method == "POST":
        agreement_end_by_holder(user=user, agreement_id=agreement.pk, by=patient_actor(user))
        return HttpResponseRedirect(f"{reverse('agreements')}?done=ended", status=303)
    return shown(request, "end", {"row": row})


@by_holder
@require_safe
def agreement_deductions(request: HttpRequest, row: AgreementRow) -> HttpResponse:
    """What was taken: masked name, amount, number's tail, and what came back."""
    page = deductions_of(row.agreement, before=number(request.GET.get("before", "")))
    return render(request, "billing/agreements/deductions.html", {"row": row, "page": page})
