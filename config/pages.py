"""Pages that belong to no app: the first one, the switch of modes, and those that say no."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from billing import pay_door
from core.page_mode import COOKIE, COOKIE_AGE_S, MODES


def hospital_of_page(_request: HttpRequest) -> dict[str, object]:
    """Every page may name the hospital and its window; asked only where a template says so."""
    return {"hospital": SimpleLazyObject(pay_door.hospital)}


@require_POST
def mode_set(request: HttpRequest) -> HttpResponse:
    """Keep the reader's mode in a cookie and lead back to the page they were on."""
    mode = MODES.get(request.POST.get("mode", ""))
    if mode is None:
        return HttpResponseBadRequest()
    back = request.POST.get("next", "")
    allowed = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    answer = HttpResponseRedirect(back if allowed else "/")
    answer.set_cookie(
        COOKIE,
        mode.text,
        max_age=COOKIE_AGE_S,
        samesite="Lax",
        secure=request.is_secure(),
        httponly=True,
    )
    return answer


def home(_request: HttpRequest) -> HttpResponse:
    """Payers come by their links; who types the bare address works here."""
    return HttpResponseRedirect("/admin/")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that leads nowhere still names the window and its phone."""
    return render(request, "404.html", {"hospital": pay_door.hospital()}, status=404)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "403.html", {"hospital": pay_door.hospital()}, status=403)
