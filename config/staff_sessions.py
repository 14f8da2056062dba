"""What every page of the staff's side asks of a session: a second factor, and somebody awake.

A desk that was left is locked: after `STAFF_IDLE_S` without a page the session ends, and whoever
logs in again is led back to the page that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from core import clock
from core.models import User

SEEN, FACTOR = "staff_seen", "staff_second_factor"
PREFIX = "/admin/"
# Writing the session at every click would cost a statement a page.
_WRITE_AFTER = timedelta(seconds=30)


class StaffSessions:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self._led_away(request) or self.get_response(request)
        if request.path.startswith(PREFIX):
            # The desk is shared: "back" after a logout asks again, whichever page it is.
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    def _led_away(self, request: HttpRequest) -> HttpResponse | None:
        if not request.path.startswith(PREFIX) or request.path in _open_paths():
            return None
        user = request.user
        if not isinstance(user, User) or not user.is_staff:
            return None
        if _idle(request):
            logout(request)
            return _to("admin:login", request, locked="1")
        if settings.STAFF_SECOND_FACTOR and not request.session.get(FACTOR):
            return _to("staff_second_factor", request)
        return None


def _open_paths() -> tuple[str, ...]:
    return tuple(map(reverse, ("admin:login", "admin:logout", "staff_second_factor")))


def _idle(request: HttpRequest) -> bool:
    """Whether too long has passed since the last page; if not, this page is the last one."""
    now, kept = clock.now(), request.session.get(SEEN)
    since = now - datetime.fromisoformat(kept) if isinstance(kept, str) else None
    if since is not None and since > timedelta(seconds=settings.STAFF_IDLE_S):
        return True
    if since is None or since > _WRITE_AFTER:
        request.session[SEEN] = now.isoformat()
    return False


def _to(name: str, request: HttpRequest, **query: str) -> HttpResponseRedirect:
    if request.method in {"GET", "HEAD"}:
        query["next"] = request.get_full_path()
    address = f"{reverse(name)}?{urlencode(query)}" if query else reverse(name)
    if request.headers.get("HX-Request"):
        # A part of a page cannot hold the login; the whole page goes there.
        answer = HttpResponseRedirect(address)
        answer.status_code = 200
        answer.headers["HX-Redirect"] = address
        return answer
    return HttpResponseRedirect(address)
