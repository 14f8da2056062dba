"""The v2 protocol on the wire: XML, signed with the API key by MD5 or HMAC-SHA256."""

from __future__ import annotations

import functools
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from sandbox.wechat_pay.crypto import v2_sign
from sandbox.wechat_pay.models import Merchant
from sandbox.wechat_pay.refusal import V2_CODES, Refused
from sandbox.wechat_pay.v2_xml import xml_read, xml_write
from sandbox.world.faults import Fault
from sandbox.world.wire import call_struck

HMAC_LENGTH = 64
FEN_DIGITS_MAX = 12


@dataclass(frozen=True)
class Asked:
    """A v2 request that was signed by its merchant."""

    merchant: Merchant
    fields: dict[str, str]
    sign_type: str

    def need(self, *names: str) -> list[str]:
        missing = [name for name in names if not self.fields.get(name)]
        if missing:
            raise Refused(400, "PARAM_ERROR", f"缺少参数：{'、'.join(missing)}")
        return [self.fields[name] for name in names]

    def fen(self, name: str) -> int:
        value = self.fields.get(name, "")
        digits = value.isascii() and value.isdecimal()
        if not digits or len(value) > FEN_DIGITS_MAX or int(value) < 1:
            raise Refused(400, "PARAM_ERROR", f"参数错误：{name}")
        return int(value)

    def notify_url(self) -> str:
        value = self.fields.get("notify_url", "")
        if value and (not value.startswith(("https://", "http://")) or "?" in value):
            raise Refused(400, "PARAM_ERROR", "参数错误：notify_url")
        return value


class Unread(Exception):
    """A request that failed as communication: return_code FAIL, no sign under the answer."""


V2View = Callable[[Asked, Fault | None], dict[str, str]]


def v2_call(
    operation: str, *, mutual: bool = False, able: frozenset[str] | None = None
) -> Callable[[V2View], Callable[..., HttpResponse]]:
    """A v2 endpoint; `mutual` ones answer only to a merchant's client certificate."""

    def wrap(view: V2View) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            def execute(fault: Fault | None) -> HttpResponse:
                try:
                    asked = asked_read(request, mutual=mutual)
                except Unread as error:
                    return _xml({"return_code": "FAIL", "return_msg": str(error)})
                return _answered(asked, view, fault)

            return call_struck(request, "wechat_pay", operation, execute, able)

        return answer

    return wrap


def asked_read(request: HttpRequest, *, mutual: bool) -> Asked:
    asked = asked_verify(_fields(request))
    named = request.META.get("sandbox.client_certificate", "")
    if mutual and named != asked.merchant.mchid:
        raise Unread("证书错误，请使用商户API证书")
    return asked


def _fields(request: HttpRequest) -> dict[str, str]:
    """The fields of an XML body; the H5 signing call alone brings them in its query."""
    if request.method == "GET" and request.path == "/papay/h5entrustweb":
        return {name: str(value) for name, value in request.GET.items()}
    if request.method != "POST":
        raise Unread("请使用POST方法")
    try:
        return xml_read(request.body)
    except ValueError as error:
        raise Unread(f"XML格式错误：{error}") from error


def asked_verify(fields: dict[str, str]) -> Asked:
    """The merchant that signed these fields, of an XML body or of a signing link."""
    merchant = Merchant.objects.filter(mchid=fields.get("mch_id", "")).first()
    if merchant is None:
        raise Unread("mch_id参数错误")
    given = fields.get("sign", "")
    hmac_used = len(given) == HMAC_LENGTH
    sign_type = fields.get("sign_type") or ("HMAC-SHA256" if hmac_used else "MD5")
    wanted = v2_sign(fields, merchant.api_v2_key, sign_type)
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise Unread("签名错误")
    if fields.get("appid") != merchant.appid:
        raise Unread("appid和mch_id不匹配")
    return Asked(merchant, fields, sign_type)


def _answered(asked: Asked, view: V2View, fault: Fault | None) -> HttpResponse:
    merchant = asked.merchant
    out = {
        "return_code": "SUCCESS",
        "return_msg": "OK",
        "appid": merchant.appid,
        "mch_id": merchant.mchid,
        "nonce_str": secrets.token_hex(16),
    }
    try:
        out |= {"result_code": "SUCCESS"} | view(asked, fault)
    except Refused as error:
        out |= {
            "result_code": "FAIL",
            "err_code": V2_CODES.get(error.code, error.code),
            "err_code_des": error.message,
        }
    out = {name: value for name, value in out.items() if value != ""}
    key = merchant.api_v2_key
    if fault and fault.name == "bad_signature":
        key = secrets.token_hex(16)
    return _xml(out | {"sign": v2_sign(out, key, asked.sign_type)})


def _xml(fields: dict[str, str]) -> HttpResponse:
    return HttpResponse(xml_write(fields), content_type="text/xml; charset=utf-8")
