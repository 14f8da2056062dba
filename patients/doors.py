"""The doors of the patients' pages: who is let in, who is asked first, and as whom they act.

`@patient_required` leads a stranger to the sign-in and back to where they wanted, and asks whoever
has not answered it for the consent to use personal data. A member of staff is no patient, however
well they are signed in: their session opens the window's pages, and only those.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from core.models import User
from patients.models import ConsentPurpose
from patients.selectors import consent_stands
from patients.signin import visit
from patients.signin.base import Door
from patients.signin.registry import door_get

Page = Callable[..., HttpResponse]
NEXT = "next"
NEXT_LENGTH_MAX = 500


def patient_required(view: Page) -> Page:
    """A page for a signed-in patient who allowed the use of personal data; never cached."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = patient_of(request)
        if user is None:
            return led_to("sign_in", request)
        if not consent_stands(user=user, purpose=ConsentPurpose.PRIVACY):
            return led_to("consent_first", request)
        return view(request, *args, **kwargs)

    return never_cache(page)


def signed_in_required(view: Page) -> Page:
    """As `patient_required`, without the consent: the pages that ask for it, those where any is
    taken back, and those where what was signed is paused and ended. Whoever takes back the first
    consent must not be locked out of stopping the others."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if patient_of(request) is None:
            return led_to("sign_in", request)
        return view(request, *args, **kwargs)

    return never_cache(page)


def patient_of(request: HttpRequest) -> User | None:
    """The signed-in patient; None for a stranger and for staff."""
    user = request.user
    is_patient = isinstance(user, User) and user.is_active and not user.is_staff
    return user if is_patient and isinstance(user, User) else None


def the_patient(request: HttpRequest) -> User:
    """The signed-in patient, inside a page that one of the guards above let them into."""
    user = patient_of(request)
    assert user is not None
    return user


def led_to(name: str, request: HttpRequest) -> HttpResponseRedirect:
    """To one of our questions; what was asked for comes back afterwards, if it can be repeated."""
    wanted = request.get_full_path() if request.method in {"GET", "HEAD"} else ""
    query = f"?{urlencode({NEXT: wanted})}" if wanted not in {"", "/"} else ""
    return HttpResponseRedirect(reverse(name) + query)


def next_of(request: HttpRequest) -> str:
    """Where to go on after our question: an address of this house, or empty."""
    return own_address(request, str(request.POST.get(NEXT) or request.GET.get(NEXT) or ""))


def own_address(request: HttpRequest, wanted: str) -> str:
    """The address if it is a path of this very host; empty for any other."""
    fits = (
        len(wanted) <= NEXT_LENGTH_MAX
        and wanted.startswith("/")
        and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
        and wanted.isprintable()
    )
    return wanted if fits else ""


def wallet_asked(request: HttpRequest, door: str, wanted: str) -> HttpResponseRedirect:
    """Ask a wallet who this is and come back to `wanted`; only ever after a POST of ours."""
    adapter = door_of(door)
    state = visit.state_make(request, door, wanted)
    back = request.build_absolute_uri(reverse("sign_in_back", args=[door]))
    return HttpResponseRedirect(adapter.leave_for(back=back, state=state), status=303)


def door_of(code: str) -> Door:
    """The door of a wallet, which this hospital has set up; no page without one."""
    door = door_get(code)
    if door is None:
        raise Http404(code)
    return door
