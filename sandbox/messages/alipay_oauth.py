"""Alipay's web login: the page asks whose phone this is, the code is exchanged once, signed.

The exchange is a method of the gateway; it has an address of its own here, since the gateway's
table is about money. Applications, their keys and the people are the ones of the pay side.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from sandbox.alipay.models import Merchant, Wallet
from sandbox.alipay.pages import PHONE_COOKIE
from sandbox.alipay.refusal import Refused
from sandbox.alipay.selectors import wallets_found
from sandbox.alipay.wire import asked_verify, fields_of, refusal, reply
from sandbox.messages.oauth import with_query
from sandbox.messages.services import TOKEN_SECONDS, code_issue, code_use
from sandbox.world.faults import Fault
from sandbox.world.wire import call_struck

SCOPES = ("auth_base", "auth_user")
METHOD = "alipay.system.oauth.token"


def authorize(request: HttpRequest) -> HttpResponse:
    """Who holds the phone is known by its cookie; else the person picks a wallet first."""
    problem = _problem(request)
    if problem:
        return HttpResponse(problem, status=400, content_type="text/plain; charset=utf-8")
    user_id = request.GET.get("as", "") or request.COOKIES.get(PHONE_COOKIE, "")
    if not Wallet.objects.filter(user_id=user_id).exists():
        query = {key: value for key, value in request.GET.items() if key != "as"}
        context = {"people": wallets_found(""), "query": query}
        return render(request, "messages/alipay_authorize.html", context)
    app_id, scope = request.GET["app_id"], request.GET["scope"]
    issued = code_issue(appid=app_id, openid=user_id, scope=scope)
    given = {"app_id": app_id, "source": "alipay_wallet", "scope": scope, "auth_code": issued.code}
    state = {"state": request.GET["state"]} if "state" in request.GET else {}
    return HttpResponseRedirect(with_query(request.GET["redirect_uri"], given | state))


def _problem(request: HttpRequest) -> str:
    if not Merchant.objects.filter(app_id=request.GET.get("app_id", "")).exists():
        return "app_id 不对"
    if request.GET.get("scope") not in SCOPES:
        return "scope 不对"
    if urlsplit(request.GET.get("redirect_uri", "")).scheme not in ("http", "https"):
        return "redirect_uri 不对"
    return ""


def token(request: HttpRequest) -> HttpResponse:
    def execute(fault: Fault | None) -> HttpResponse:
        spoilt = bool(fault and fault.name == "bad_signature")
        try:
            out = _exchange(request)
        except Refused as error:
            return refusal(METHOD, error, spoilt=spoilt, certificates=False)
        return reply(METHOD, out, spoilt=spoilt, certificates=False)

    return call_struck(request, "alipay_login", "token", execute)


def _exchange(request: HttpRequest) -> dict[str, Any]:
    fields = fields_of(request)
    asked = asked_verify(fields)
    if asked.method != METHOD or fields.get("grant_type") != "authorization_code":
        raise Refused("isv.grant-type-invalid", "授权类型不对", code="40002")
    used = code_use(code=fields.get("code", ""), appid=asked.merchant.app_id)
    if used is None:
        raise Refused("isv.code-invalid", "授权码code无效", code="40002")
    return {
        "user_id": used.openid,
        "access_token": f"alipay-oauth-{used.pk}",
        "expires_in": TOKEN_SECONDS,
        "refresh_token": f"alipay-refresh-{used.pk}",
        "re_expires_in": TOKEN_SECONDS,
    }
