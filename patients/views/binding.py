"""Binding a card: what is typed, then the code. No page says whether a person is a patient here."""

from __future__ import annotations

from django.contrib.auth import update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from core import clock
from core.dispatch import enqueue
from core.errors import BadInput, NotFound, Refusal
from core.page_faults import faults_of
from core.page_mode import page_mode
from core.web_addresses import peer_address
from patients.actors import patient_actor
from patients.doors import patient_required, the_patient
from patients.forms import BindingForm
from patients.models import Binding, BindingStatus, IdType, Relation
from patients.selectors.binding_rules import person_of
from patients.selectors.family import binding_of
from patients.services.binding_proofs import binding_confirm
from patients.services.bindings import (
    SENDS_MAX,
    binding_begin,
    binding_cancel,
    binding_send_again,
)
from patients.tasks import binding_code_send_task


@patient_required
@require_http_methods(["GET", "HEAD", "POST"])
def binding_new(request: HttpRequest) -> HttpResponse:
    """Who, by which name and number; in elder mode one question after the other."""
    user, elder = the_patient(request), page_mode(request.COOKIES).elder
    own = person_of(user) is not None
    if request.method != "POST":
        return _form_page(request, BindingForm.blank(own=own, elder=elder), own)
    form = BindingForm.posted(request.POST, elder=elder)
    if form.next_step:
        return _form_page(request, form.at(form.next_step), own)
    try:
        row = binding_begin(user=user, wanted=form.wanted, address=peer_address(request))
    except Refusal as refusal:
        return _form_page(request, form.at_fault(refusal.field), own, refusal)
    enqueue(binding_code_send_task, row.pk)
    return HttpResponseRedirect(reverse("binding_code", args=[row.pk]), status=303)


def _form_page(
    request: HttpRequest, form: BindingForm, own: bool, refusal: Refusal | None = None
) -> HttpResponse:
    relations = [one for one in Relation if not (own and one is Relation.SELF)]
    context = {
        "form": form,
        "values": form.values,
        "relations": relations,
        "id_types": list(IdType),
        **_faults(refusal),
    }
    return render(
        request, "patients/family/add.html", context, status=refusal.status if refusal else 200
    )


@patient_required
@require_http_methods(["GET", "HEAD", "POST"])
def binding_code(request: HttpRequest, binding_id: int) -> HttpResponse:
    """The code that was sent to the phone on record, if there was anybody to send one to."""
    user = the_patient(request)
    row = binding_of(user=user, binding_id=binding_id)
    if row is None:
        raise Http404
    if request.method != "POST":
        return _code_page(request, row)
    try:
        binding_confirm(
            user=user,
            binding_id=binding_id,
            code=request.POST.get("code", ""),
            address=peer_address(request),
            by=patient_actor(user),
        )
    except Refusal as refusal:
        row.refresh_from_db()
        return _code_page(request, row, refusal)
    # Sessions end where the account was another person's before; not the one in the hand.
    user.refresh_from_db(fields=["password"])
    update_session_auth_hash(request, user)
    return HttpResponseRedirect(f"{reverse('family')}?done=bound", status=303)


@patient_required
@require_POST
def binding_again(request: HttpRequest, binding_id: int) -> HttpResponse:
    """Another code for the same wish."""
    user = the_patient(request)
    try:
        row = binding_send_again(user=user, binding_id=binding_id)
    except NotFound as missing:
        raise Http404 from missing
    except Refusal as refusal:
        known = binding_of(user=user, binding_id=binding_id)
        if known is None:
            raise Http404 from refusal
        return _code_page(request, known, refusal)
    enqueue(binding_code_send_task, row.pk)
    return HttpResponseRedirect(reverse("binding_code", args=[row.pk]), status=303)


@patient_required
@require_POST
def binding_drop(request: HttpRequest, binding_id: int) -> HttpResponse:
    """The user does not go on."""
    try:
        binding_cancel(user=the_patient(request), binding_id=binding_id)
    except NotFound as missing:
        raise Http404 from missing
    return HttpResponseRedirect(reverse("family"), status=303)


def _code_page(request: HttpRequest, row: Binding, refusal: Refusal | None = None) -> HttpResponse:
    over = row.status != BindingStatus.WAITING or clock.now() >= row.expires_at
    context = {
        "row": row,
        "over": over,
        "bound": row.status == BindingStatus.BOUND,
        "own": row.relation == Relation.SELF,
        "may_send": not over and row.sends_asked < SENDS_MAX,
        **_faults(refusal),
    }
    return render(
        request, "patients/family/code.html", context, status=refusal.status if refusal else 200
    )


def _faults(refusal: Refusal | None) -> dict[str, object]:
    """The refusal as the error summary shows it; only a box's own fault is linked to the box."""
    if refusal is None:
        return {"faults": [], "at": ""}
    field = refusal.field if isinstance(refusal, BadInput) else ""
    return {
        "faults": faults_of(refusal, prefix="id_", linked=bool(field)),
        "at": field,
    }
