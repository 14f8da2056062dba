"""WeChat's web login: the page asks who holds the phone, the code is exchanged once."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render

from sandbox.messages.accounts import official_account
from sandbox.messages.selectors import openid_known, people
from sandbox.messages.services import TOKEN_SECONDS, code_issue, code_use
from sandbox.messages.wechat import account_error, error

SCOPES = ("snsapi_base", "snsapi_userinfo")
# The phone pages set it: whose phone this browser stands for.
PHONE_COOKIE = "sandbox_phone"


def authorize(request: HttpRequest) -> HttpResponse:
    """Who holds the phone is known by its cookie; else the person picks a wallet first."""
    problem = _problem(request)
    if problem:
        return HttpResponse(problem, status=400, content_type="text/plain; charset=utf-8")
    scope = request.GET.get("scope", SCOPES[0])
    chosen = request.GET.get("as", "")
    openid = chosen or (request.COOKIES.get(PHONE_COOKIE, "") if scope == SCOPES[0] else "")
    if not openid_known(openid):
        query = {key: value for key, value in request.GET.items() if key != "as"}
        return render(request, "messages/authorize.html", {"people": people(), "query": query})
    issued = code_issue(appid=request.GET["appid"], openid=openid, scope=scope)
    given = {"code": issued.code, "state": request.GET.get("state", "")}
    return HttpResponseRedirect(with_query(request.GET["redirect_uri"], given))


def _problem(request: HttpRequest) -> str:
    target = request.GET.get("redirect_uri", "")
    if request.GET.get("appid") != official_account().key:
        return "10013 appid 不对"
    if request.GET.get("response_type") != "code" or request.GET.get("scope") not in SCOPES:
        return "10005 response_type 或 scope 不对"
    if urlsplit(target).scheme not in ("http", "https"):
        return "10003 redirect_uri 不对"
    return ""


def with_query(target: str, given: Mapping[str, str]) -> str:
    """The address to go back to, with our answer behind what it had already."""
    parts = urlsplit(target)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *given.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))


def access_token(request: HttpRequest) -> HttpResponse:
    appid = request.GET.get("appid", "")
    wrong = account_error(appid, request.GET.get("secret", ""))
    if wrong:
        return error(wrong)
    if request.GET.get("grant_type") != "authorization_code":
        return error(40002)
    used = code_use(code=request.GET.get("code", ""), appid=appid)
    if used is None:
        return error(40029)
    return JsonResponse(
        {
            "access_token": f"oauth-{used.pk}",
            "expires_in": TOKEN_SECONDS,
            "refresh_token": f"refresh-{used.pk}",
            "openid": used.openid,
            "scope": used.scope,
        }
    )
