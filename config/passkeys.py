"""A member of staff's own passkeys. A lost one is taken away where a lost app is, in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from core.audit import record
from core.errors import Refusal
from core.models import User
from core.passkeys import passkey_add, passkey_registration, passkeys_of
from core.staff import staff_actor
from core.staff_login import staff_password_confirm
from core.web_addresses import peer_address


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def passkeys(request: HttpRequest) -> HttpResponse:
    """Inside only. One more asks for the password: an unlocked desk is not its owner."""
    shown: HttpResponse = admin.site.admin_view(_passkeys)(request)
    return shown


def _passkeys(request: HttpRequest) -> HttpResponse:
    user, refusal = request.user, None
    assert isinstance(user, User)
    if request.method == "POST":
        try:
            _added(request, user)
            return HttpResponseRedirect(reverse("staff_passkeys"))
        except Refusal as found:
            refusal = found
    context = {
        **admin.site.each_context(request),
        "title": _("Passkeys"),
        "rows": passkeys_of(user),
        "refusal": refusal,
        "options": {"creation_options": passkey_registration(user)},
    }
    status = refusal.status if refusal else 200
    return render(request, "admin/passkeys.html", context, status=status)


def _added(request: HttpRequest, user: User) -> None:
    address = peer_address(request)
    staff_password_confirm(user=user, password=request.POST.get("password", ""), address=address)
    added = passkey_add(user=user, answer=request.POST.get("passkey", ""))
    record(
        by=staff_actor(user),
        action="passkey_added",
        subject="core.user",
        subject_id=user.pk,
        detail={"number": added.pk},
        address=address,
    )
