"""The staff's login, name, password and an app's code on one page; and enrolling the app."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import logout
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from config.demo.codes import demo_codes
from config.staff_sessions import FACTOR, SEEN
from core import clock
from core.audit import record
from core.crypto import decrypt, encrypt
from core.errors import Refusal
from core.models import User
from core.passkeys import ANSWER_LENGTH_MAX, passkey_challenge
from core.qr import qr_path
from core.second_factor import (
    second_factor_counter,
    second_factor_enrol,
    second_factor_of,
    second_factor_secret,
)
from core.staff import staff_actor
from core.staff_login import Entered, staff_enter
from core.web_addresses import peer_address
from patients.doors import next_of

_SECRET, _CONTEXT = "staff_second_factor_secret", "session.staff_second_factor"


class StaffLoginForm(AuthenticationForm):  # type: ignore[misc]
    """One answer to everything that is wrong; the lock-out says only how long it lasts."""

    code = forms.CharField(
        label=_("Code of your authenticator app"),
        required=False,
        max_length=16,
        widget=UnfoldAdminTextInputWidget(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}
        ),
    )
    passkey = forms.CharField(
        required=False, max_length=ANSWER_LENGTH_MAX, widget=forms.HiddenInput
    )
    entered: Entered | None = None

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = self.cleaned_data
        if given.get("username") and given.get("password"):
            try:
                self.entered = staff_enter(
                    request=self.request,
                    username=given["username"],
                    password=given["password"],
                    code=given.get("code", ""),
                    address=peer_address(self.request),
                    passkey=given.get("passkey", ""),
                )
            except Refusal as refusal:
                raise ValidationError(str(refusal.message), code=refusal.code) from None
            self.user_cache = self.entered.user
        return given


@method_decorator(never_cache, name="dispatch")
class StaffLogin(LoginView):
    """The admin's login page. Whoever is in already goes on to where they wanted; a script that
    asks for JSON gets a challenge for a passkey."""

    form_class = StaffLoginForm
    authentication_form = StaffLoginForm
    template_name = "admin/login.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "GET" and admin.site.has_permission(request):
            return HttpResponseRedirect(self.get_success_url())
        if request.method == "GET" and request.headers.get("Accept") == "application/json":
            return JsonResponse({"request_options": passkey_challenge()})
        return super().dispatch(request, *args, **kwargs)

    def get_success_url(self) -> str:
        return next_of(self.request) or reverse("admin:index")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {
            **admin.site.each_context(self.request),
            "title": _("Log in"),
            "app_path": self.request.get_full_path(),
            "next": next_of(self.request),
            "was_locked": "locked" in self.request.GET,
            "demo_codes": demo_codes() if settings.DEMO else [],
        }

    def form_valid(self, form: Any) -> HttpResponse:
        answer: HttpResponse = super().form_valid(form)
        entered: Entered = form.entered
        self.request.session[SEEN] = clock.now().isoformat()
        self.request.session[FACTOR] = entered.second_factor
        self.request.session.set_expiry(settings.SESSION_COOKIE_AGE)
        _note(self.request, entered.user, "staff_logged_in", second_factor=entered.second_factor)
        return answer


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Enrol an authenticator app. Only who has none yet, right after their password."""
    user = request.user
    if not isinstance(user, User) or not user.is_staff:
        return HttpResponseRedirect(reverse("admin:login"))
    if request.session.get(FACTOR):
        return HttpResponseRedirect(reverse("admin:index"))
    if second_factor_of(user) is not None:
        # A session of before they had it, or one that came in by another door.
        return _logged_out(request)
    secret, wrong = _secret_of(request), False
    if request.method == "POST":
        shown = second_factor_counter(secret, request.POST.get("code", ""))
        if shown is not None:
            if not second_factor_enrol(user=user, secret=secret, used=shown):
                return _logged_out(request)  # somebody else with this password was first
            request.session.pop(_SECRET, None)
            request.session.cycle_key()
            request.session[FACTOR] = True
            _note(request, user, "second_factor_enrolled")
            return HttpResponseRedirect(next_of(request) or reverse("admin:index"))
        wrong = True
    address = get_adapter().build_totp_url(user, secret)
    context = {
        **admin.site.each_context(request),
        "title": _("Your second factor"),
        "qr": qr_path(address),
        "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        "next": next_of(request),
        "wrong": wrong,
    }
    return render(request, "admin/second_factor.html", context, status=400 if wrong else 200)


def _logged_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponseRedirect(reverse("admin:login"))


def _secret_of(request: HttpRequest) -> str:
    """The secret on the page, the same until it is used; encrypted, as every session is stored."""
    kept = request.session.get(_SECRET)
    if isinstance(kept, str):
        return decrypt(kept, context=_CONTEXT)
    secret = second_factor_secret()
    request.session[_SECRET] = encrypt(secret, context=_CONTEXT)
    return secret


def _note(request: HttpRequest, user: User, action: str, **detail: Any) -> None:
    record(
        by=staff_actor(user),
        action=action,
        subject="core.user",
        subject_id=user.pk,
        detail=detail,
        address=peer_address(request),
    )
