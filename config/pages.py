"""Pages that belong to no app: the switch of modes, and those that say no."""

from __future__ import annotations

import sys

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseRedirect,
    HttpResponseServerError,
)
from django.shortcuts import render
from django.template import loader
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing import pay_right
from billing.desk.doors import refused
from billing.his.problems import problem_answer
from core.errors import Forbidden, NotFound
from core.page_mode import COOKIE, COOKIE_AGE_S, MODES


def hospital_of_page(_request: HttpRequest) -> dict[str, object]:
    """Every page may name the hospital and its window; asked only where a template says so."""
    return {"hospital": SimpleLazyObject(pay_right.hospital)}


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


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that leads nowhere still names the window and its phone."""
    if is_api(request):
        return problem_answer(Http404(), {})
    if is_desk(request):
        return refused(request, NotFound("no_page", _("There is no such page")))
    return render(request, "404.html", {"hospital": pay_right.hospital()}, status=404)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problem_answer(PermissionDenied(), {})
    if is_desk(request):
        return refused(request, Forbidden("no_right", _("This page is not open to you")))
    return render(request, "403.html", {"hospital": pay_right.hospital()}, status=403)


def not_readable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that Django itself takes for an attack or a mistake, such as a foreign host. The
    page is made without the request: reading it once more would fail once more."""
    if is_api(request):
        return problem_answer(SuspiciousOperation(), {})
    return HttpResponseBadRequest(loader.get_template("400.html").render(fault_page()))


def form_not_taken(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the token of its page: old, opened elsewhere, or without cookies."""
    return render(request, "403_csrf.html", {"hospital": pay_right.hospital()}, status=403)


def failed(request: HttpRequest) -> HttpResponse:
    """A fault of ours. The page asks neither the database nor anything that may be broken too."""
    if is_api(request):
        fault = sys.exc_info()[1]
        return problem_answer(fault if isinstance(fault, Exception) else RuntimeError(), {})
    return HttpResponseServerError(loader.get_template("500.html").render(fault_page()))


def fault_page() -> dict[str, object]:
    return {"help": settings.HOSPITAL_HELP, "static": settings.STATIC_URL}


def is_desk(request: HttpRequest) -> bool:
    """A member of staff went wrong at their desk, and goes on there: not a patient's page."""
    inside = request.path.startswith(reverse("admin:index"))
    return inside and hasattr(request, "user") and admin.site.has_permission(request)


def is_api(request: HttpRequest) -> bool:
    """Programs read problem+json wherever they went wrong."""
    return request.path == "/api" or request.path.startswith("/api/")
