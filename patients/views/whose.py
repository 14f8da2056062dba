"""Whose account is this? Asked of a phone that opened nothing for so long that it may have been
given to another person; two wrong answers take it from the account."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from core.errors import BadInput, Refusal
from core.page_faults import faults_of
from core.web_addresses import peer_address
from patients.selectors.accounts import code_phone
from patients.services.accounts import ANSWER_MISSING, ANSWER_WRONG, account_open, phone_answer
from patients.signin import visit
from patients.views.signin import entered, phone_page, taken, to_phone


@never_cache
@sensitive_post_parameters("last")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_whose(request: HttpRequest) -> HttpResponse:
    """Only the browser that typed the right code a moment ago is asked, and may answer."""
    code_id, join = visit.proof_of(request, visit.PHONE) or (0, False)
    phone = code_phone(code_id) if code_id else ""
    if not phone:
        return to_phone()
    if request.method != "POST":
        return _page(request)
    if not request.POST.get("last", "").strip():
        return _page(request, BadInput("answer_missing", ANSWER_MISSING, "last"))
    address = peer_address(request)
    if not phone_answer(phone=phone, last=request.POST.get("last", "")[:20], address=address):
        return _page(request, BadInput("not_theirs", ANSWER_WRONG, "last"))
    identity = visit.identity_of(request) if join else None
    visit.proof_forget(request, visit.PHONE)
    try:
        user = account_open(phone=phone, identity=identity, address=address)
    except Refusal as refusal:
        wanted = visit.finish(request)
        taken(request, identity, refusal)
        return phone_page(request, refusal, wanted)
    wanted = visit.finish(request)
    return entered(request, user, way=identity.channel if identity else "phone", wanted=wanted)


def _page(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    status = refusal.status if refusal else 200
    context = {"faults": faults_of(refusal, prefix="id_")}
    return render(request, "account/whose.html", context, status=status)
