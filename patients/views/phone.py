"""Changing the phone that opens an account: the old one's code, the new number, and its code."""

from __future__ import annotations

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from core.crypto import mask_phone
from core.errors import BadInput, Refusal
from core.page_faults import faults_of
from core.web_addresses import peer_address
from patients.doors import patient_required, the_patient
from patients.models import CodePurpose
from patients.selectors.accounts import code_phone, phone_of
from patients.services.accounts import phone_change
from patients.services.phone_codes import phone_code_check, phone_code_send
from patients.signin import visit
from patients.signin.phones import phone_from

PURPOSE, LEAVE = CodePurpose.CHANGE, CodePurpose.LEAVE


@patient_required
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def phone_old(request: HttpRequest) -> HttpResponse:
    """The code of the number used so far: an open session alone moves no account."""
    if request.method != "POST":
        return _old_page(request)
    code_id = visit.code_of(request, LEAVE)
    own = phone_of(the_patient(request))
    try:
        if "code" not in request.POST and own:
            sent = phone_code_send(
                phone=own, purpose=LEAVE, address=peer_address(request), replaces=code_id
            )
            visit.code_keep(request, sent, LEAVE)
            return HttpResponseRedirect(reverse("phone_old"), status=303)
        code = request.POST.get("code", "")
        proven = phone_code_check(code_id=code_id, code=code, purpose=LEAVE)
    except Refusal as refusal:
        return _old_page(request, refusal)
    visit.code_keep(request, 0, LEAVE)
    if proven == own:
        visit.proof_keep(request, LEAVE, own_mark(request))
    return HttpResponseRedirect(reverse("phone_new"), status=303)


def own_mark(request: HttpRequest) -> int:
    """Whose proof it is: a session that changes hands carries none over."""
    return the_patient(request).pk


def _proven(request: HttpRequest) -> bool:
    return bool(visit.proof_of(request, LEAVE) == own_mark(request))


@patient_required
@sensitive_post_parameters("phone")
@require_http_methods(["GET", "HEAD", "POST"])
def phone_new(request: HttpRequest) -> HttpResponse:
    """Which number from now on? Nothing changes before its code came back."""
    if not _proven(request):
        return HttpResponseRedirect(reverse("phone_old"), status=303)
    if request.method != "POST":
        return _phone_page(request)
    try:
        phone = phone_from(request.POST.get("phone", ""))
        code_id = phone_code_send(
            phone=phone,
            purpose=PURPOSE,
            address=peer_address(request),
            replaces=visit.code_of(request, PURPOSE),
        )
    except Refusal as refusal:
        return _phone_page(request, refusal)
    visit.code_keep(request, code_id, PURPOSE)
    return HttpResponseRedirect(reverse("phone_new_code"), status=303)


@patient_required
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def phone_new_code(request: HttpRequest) -> HttpResponse:
    """The code of the new number; with it, the account has it."""
    code_id = visit.code_of(request, PURPOSE)
    if not code_id or not _proven(request):
        return HttpResponseRedirect(reverse("phone_new"), status=303)
    if request.method != "POST":
        return _code_page(request, code_id)
    try:
        code = request.POST.get("code", "")
        phone = phone_code_check(code_id=code_id, code=code, purpose=PURPOSE)
    except BadInput as refusal:
        return _code_page(request, code_id, refusal)
    visit.code_keep(request, 0, PURPOSE)
    try:
        user = the_patient(request)
        phone_change(user=user, phone=phone, address=peer_address(request))
    except Refusal as refusal:
        return _phone_page(request, refusal)
    visit.proof_forget(request, LEAVE)
    update_session_auth_hash(request, user)
    return HttpResponseRedirect(reverse("settings"), status=303)


def _old_page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    context = {
        "faults": faults_of(refusal, prefix="id_"),
        "over": refusal is not None and refusal.code == "code_over",
        "sent": bool(visit.code_of(request, LEAVE)),
        "masked": mask_phone(phone_of(the_patient(request))),
    }
    status = refusal.status if refusal else 200
    return render(request, "account/phone_old.html", context, status=status)


def _phone_page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    context = {
        "faults": faults_of(refusal, prefix="id_"),
        "typed": request.POST.get("phone", "")[:40],
        "masked": mask_phone(phone_of(the_patient(request))),
    }
    status = refusal.status if refusal else 200
    return render(request, "account/phone_new.html", context, status=status)


def _code_page(request: HttpRequest, code_id: int, refusal: Refusal | None = None) -> HttpResponse:
    context = {
        "faults": faults_of(refusal, prefix="id_"),
        "over": refusal is not None and refusal.code == "code_over",
        "masked": mask_phone(code_phone(code_id)),
    }
    status = refusal.status if refusal else 200
    return render(request, "account/phone_new_code.html", context, status=status)
