"""The official account's calls: access token and template message, with WeChat's error codes.

WeChat answers 200 to everything it understood; `errcode` tells how it went.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox.messages.accounts import official_account
from sandbox.messages.body import object_of
from sandbox.messages.models import Message
from sandbox.messages.selectors import openid_known, token_state
from sandbox.messages.services import TOKEN_SECONDS, Sent, message_store, token_issue
from sandbox.world.faults import Fault
from sandbox.world.wire import call_struck

COUNTERPARTY = "wechat_message"
ERRORS = {
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40029: "invalid code",
    40037: "invalid template_id",
    40125: "invalid appsecret",
    41001: "access_token missing",
    42001: "access_token expired",
    43004: "require subscribe",
    43002: "require POST method",
    47001: "data format error",
}
MAX_VALUE = 200
MAX_TEMPLATE = 64
MAX_NUMBER = 128


def error(code: int) -> JsonResponse:
    return JsonResponse({"errcode": code, "errmsg": ERRORS[code]})


def account_error(appid: str, secret: str) -> int:
    """0 when appid and secret are the hospital's."""
    account = official_account()
    if appid != account.key:
        return 40013
    return 0 if hmac.compare_digest(secret.encode(), account.secret.encode()) else 40125


def token(request: HttpRequest) -> HttpResponse:
    def execute(_fault: Fault | None) -> HttpResponse:
        appid = request.GET.get("appid", "")
        if request.GET.get("grant_type") != "client_credential":
            return error(40002)
        wrong = account_error(appid, request.GET.get("secret", ""))
        if wrong:
            return error(wrong)
        issued = token_issue(appid=appid)
        return JsonResponse({"access_token": issued.token, "expires_in": TOKEN_SECONDS})

    return call_struck(request, COUNTERPARTY, "token", execute)


def template_send(request: HttpRequest) -> HttpResponse:
    def execute(fault: Fault | None) -> HttpResponse:
        if request.method != "POST":
            return error(43002)
        wrong = _token_error(request.GET.get("access_token", ""))
        if wrong:
            return error(wrong)
        sent = _template(request.body)
        if isinstance(sent, int):
            return error(sent)
        if fault and fault.name == "decline":
            return error(43004)
        # WeChat's msgid is a number; 48 random bits stay exact in every JSON reader.
        stored = message_store(sent=sent, message_id=str(1 + secrets.randbits(48)))
        return JsonResponse({"errcode": 0, "errmsg": "ok", "msgid": int(stored.message_id)})

    return call_struck(request, COUNTERPARTY, "send", execute)


def _token_error(value: str) -> int:
    if not value:
        return 41001
    return {"valid": 0, "expired": 42001, "unknown": 40001}[token_state(value)]


def _template(body: bytes) -> Sent | int:
    """The message, or the code of what is wrong with it."""
    wanted = object_of(body)
    if wanted is None or not _data_fits(wanted.get("data")):
        return 47001
    sender_no = wanted.get("client_msg_id", "")
    if not isinstance(sender_no, str) or len(sender_no) > MAX_NUMBER:
        return 47001
    openid, template = wanted.get("touser"), wanted.get("template_id")
    if not isinstance(openid, str) or not openid_known(openid):
        return 40003
    if not isinstance(template, str) or not template or len(template) > MAX_TEMPLATE:
        return 40037
    return Sent(
        kind=Message.Kind.WECHAT,
        receiver=openid,
        template=template,
        params={key: one["value"] for key, one in wanted["data"].items()},
        url=str(wanted.get("url") or ""),
        sender_no=sender_no,
    )


def _data_fits(data: Any) -> bool:
    return isinstance(data, dict) and all(
        isinstance(one, dict)
        and isinstance(one.get("value"), str)
        and len(one["value"]) < MAX_VALUE
        for one in data.values()
    )
