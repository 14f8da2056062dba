"""Sign-in pages, one question each: the phone, then the code. A wallet may answer instead
(`views.wallets`)."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from core.crypto import mask_phone
from core.errors import BadInput, Refusal
from core.models import User
from core.page_faults import faults_of
from core.web_addresses import peer_address
from patients.doors import NEXT, next_of, own_address, patient_of
from patients.selectors.accounts import code_phone
from patients.services.accounts import (
    IDENTITY_TAKEN,
    account_open,
    identity_refused_record,
    phone_asked,
    sign_in_record,
    sign_out_record,
)
from patients.services.phone_codes import phone_code_check, phone_code_send
from patients.signin import visit
from patients.signin.base import Identity
from patients.signin.phones import phone_from
from patients.signin.registry import JOIN, NAMES, doors_open

BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@sensitive_post_parameters("phone")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Which phone? Known and new ones go the same way from here."""
    if patient_of(request) is not None:
        return HttpResponseRedirect(next_of(request) or reverse("home"), status=303)
    if request.method != "POST":
        return phone_page(request)
    visit.next_keep(request, next_of(request))
    try:
        phone = phone_from(request.POST.get("phone", ""))
        code_id = phone_code_send(
            phone=phone, address=peer_address(request), replaces=visit.code_of(request)
        )
    except Refusal as refusal:
        return phone_page(request, refusal)
    visit.code_keep(request, code_id)
    return HttpResponseRedirect(reverse("sign_in_code"), status=303)


def phone_page(
    request: HttpRequest, refusal: Refusal | None = None, wanted: str = ""
) -> HttpResponse:
    doors = [] if visit.identity_of(request) else doors_open(request.headers.get("User-Agent", ""))
    context = {
        "faults": faults_of(refusal, prefix="id_"),
        "typed": request.POST.get("phone", "")[:40],
        "next": next_of(request) or own_address(request, wanted),
        "doors": [(code, NAMES[code]) for code in doors],
        "with_wallet": visit.identity_of(request) is not None,
    }
    status = refusal.status if refusal else 200
    return render(request, "account/phone.html", context, status=status)


@never_cache
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_code(request: HttpRequest) -> HttpResponse:
    """Which code came? Only the browser that asked for it may answer.

    The wallet this browser came with may be somebody else's, whose phone was lent or left open: it
    opens the account from now on only if the person who typed the code says so.
    """
    code_id = visit.code_of(request)
    if not code_id:
        return to_phone()
    if request.method != "POST":
        return code_page(request, code_id)
    address = peer_address(request)
    try:
        phone = phone_code_check(code_id=code_id, code=request.POST.get("code", ""))
    except BadInput as refusal:
        return code_page(request, code_id, refusal)
    if phone_asked(phone=phone, address=address):
        return whose(request, code_id)
    identity = visit.identity_of(request) if request.POST.get("join") == "yes" else None
    try:
        user = account_open(phone=phone, identity=identity, address=address)
    except Refusal as refusal:
        wanted = visit.finish(request)
        taken(request, identity, refusal)
        return phone_page(request, refusal, wanted)
    wanted = visit.finish(request)
    return entered(request, user, way=identity.channel if identity else "phone", wanted=wanted)


def whose(request: HttpRequest, code_id: int) -> HttpResponseRedirect:
    """Ask whose account it is, in a session of a new key: it may open an account from here on."""
    request.session.cycle_key()
    visit.code_keep(request, 0)
    visit.proof_keep(request, visit.PHONE, (code_id, request.POST.get("join") == "yes"))
    return HttpResponseRedirect(reverse("sign_in_whose"), status=303)


def code_page(
    request: HttpRequest, code_id: int, refusal: Refusal | None = None, *, sent: bool = False
) -> HttpResponse:
    identity = visit.identity_of(request)
    context = {
        "faults": faults_of(refusal, prefix="id_"),
        "over": refusal is not None and refusal.code == "code_over",
        "masked": mask_phone(code_phone(code_id)),
        "sent": sent,
        "join": JOIN.get(identity.channel, "") if identity else "",
        "joined": request.POST.get("join") == "yes",
    }
    return render(request, "account/code.html", context, status=refusal.status if refusal else 200)


@never_cache
@require_POST
def sign_in_again(request: HttpRequest) -> HttpResponse:
    """Another code to the same phone; the one before it ends."""
    code_id = visit.code_of(request)
    if not code_id:
        return to_phone()
    try:
        new = phone_code_send(
            phone=code_phone(code_id), address=peer_address(request), replaces=code_id
        )
    except Refusal as refusal:
        return code_page(request, code_id, refusal)
    visit.code_keep(request, new)
    return HttpResponseRedirect(reverse("sign_in_code"), status=303)


def to_phone(wanted: str = "") -> HttpResponseRedirect:
    query = f"?{urlencode({NEXT: wanted})}" if wanted else ""
    return HttpResponseRedirect(reverse("sign_in") + query, status=303)


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this browser's session, or every session, since a phone may be lost or lent."""
    user = patient_of(request)
    if user is not None:
        everywhere = request.POST.get("everywhere") == "yes"
        sign_out_record(user=user, everywhere=everywhere, address=peer_address(request))
        logout(request)
    return to_phone()


def taken(request: HttpRequest, identity: Identity | None, refusal: Refusal) -> None:
    """Note a wallet that is somebody else's."""
    if identity is not None and refusal.code == IDENTITY_TAKEN:
        identity_refused_record(identity=identity, address=peer_address(request))


def entered(request: HttpRequest, user: User, *, way: str, wanted: str) -> HttpResponse:
    """Open the session under a new key and lead on; what the questions kept is gone."""
    visit.finish(request)
    wanted = own_address(request, wanted)
    login(request, user, backend=BACKEND)
    request.session.set_expiry(settings.PATIENT_SESSION_AGE)
    sign_in_record(user=user, way=way, address=peer_address(request))
    return HttpResponseRedirect(wanted or reverse("home"), status=303)
