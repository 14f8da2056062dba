"""Sign-in by a wallet: to its page and back, into its own account or joined to one.

Only the browser that left may come back, once; whose wallet it is is asked of who is signed in.
"""

from __future__ import annotations

import secrets

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from core.errors import Refusal
from core.models import User
from core.web_addresses import peer_address
from patients.doors import door_of, next_of, own_address, patient_of, wallet_asked
from patients.selectors import identity_holder
from patients.services.accounts import account_usable, identity_join
from patients.signin import visit
from patients.signin.base import Identity
from patients.signin.registry import NAMES
from patients.views.signin import entered, taken, to_phone

CODE_LENGTH_MAX = 512


@never_cache
@require_POST
def sign_in_wallet(request: HttpRequest, door: str) -> HttpResponse:
    """To a wallet's page, with a state only this browser knows. A link cannot start it."""
    return wallet_asked(request, door, next_of(request))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_back(request: HttpRequest, door: str) -> HttpResponse:
    """Back from a wallet's page. The state is used up before anything is asked of the wallet.

    A POST answers the one question that may follow: whose wallet it is.
    """
    adapter = door_of(door)
    if request.method == "POST":
        return join_answered(request, door)
    state = visit.state_take(request, door, request.GET.get("state", "")[:CODE_LENGTH_MAX])
    if state is None:
        return wallet_over(request, door)
    code = request.GET.get(adapter.answer_name, "")
    if not 0 < len(code) <= CODE_LENGTH_MAX:
        # Who says no at the wallet comes back without a code.
        return to_phone(own_address(request, state.next))
    try:
        identity = adapter.identity(code=code, reference=f"oauth-{secrets.token_hex(8)}")
        return recognised(request, door, identity, own_address(request, state.next))
    except Refusal as refusal:
        return wallet_over(request, door, refusal)


def recognised(request: HttpRequest, door: str, identity: Identity, wanted: str) -> HttpResponse:
    """Enter the wallet's own account, or ask for the phone. Who is signed in is asked first whether
    the wallet is theirs: the phone in the hand may be somebody else's."""
    here, holder = patient_of(request), identity_holder(identity)
    if here is not None and holder is None:
        visit.identity_keep(request, identity)
        visit.next_keep(request, wanted)
        return render(request, "account/wallet_join.html", {"door": door, "name": NAMES[door]})
    if here is not None:
        return joined(request, here, identity, wanted)
    if holder is not None:
        account_usable(holder)
        return entered(request, holder, way=identity.channel, wanted=wanted)
    visit.identity_keep(request, identity)
    return to_phone(wanted)


def join_answered(request: HttpRequest, door: str) -> HttpResponse:
    """Yes joins the wallet that came, once; no keeps nothing of it."""
    here, identity = patient_of(request), visit.identity_of(request)
    if here is None or identity is None:
        return wallet_over(request, door)
    wanted = own_address(request, visit.finish(request))
    if request.POST.get("join") != "yes":
        return HttpResponseRedirect(wanted or reverse("home"), status=303)
    try:
        return joined(request, here, identity, wanted)
    except Refusal as refusal:
        return wallet_over(request, door, refusal)


def joined(request: HttpRequest, user: User, identity: Identity, wanted: str) -> HttpResponse:
    try:
        identity_join(user=user, identity=identity, address=peer_address(request))
    except Refusal as refusal:
        taken(request, identity, refusal)
        raise
    return HttpResponseRedirect(wanted or reverse("home"), status=303)


def wallet_over(request: HttpRequest, door: str, refusal: Refusal | None = None) -> HttpResponse:
    """A wallet's answer that counts for nothing: used before, too old, not asked for, refused."""
    context = {"refusal": refusal, "door": door, "name": NAMES[door]}
    status = refusal.status if refusal else 400
    return render(request, "account/wallet_over.html", context, status=status)
