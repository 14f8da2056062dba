"""Pages that belong to no app: the switch between elder and standard mode."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from core.page_mode import COOKIE, COOKIE_AGE_S, MODES


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
