"""The gateway on the wire: who signed the request, and our signature under every reply."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse

from sandbox.alipay.keys import certificate_serial
from sandbox.alipay.models import Merchant
from sandbox.alipay.refusal import MESSAGES, Refused, parameter
from sandbox.alipay.rsa2 import house_keys, request_genuine, stranger_key, text_sign, vendor_key
from sandbox.wechat_pay.crypto import fingerprint
from sandbox.world import clock

OUT_NUMBER = re.compile(r"[0-9A-Za-z_]{1,64}")
_YUAN = re.compile(r"[0-9]{1,9}(\.[0-9]{1,2})?")
_EXPRESS = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_UNITS = {"m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Asked:
    """A request that its application signed."""

    merchant: Merchant
    method: str
    content: dict[str, Any]
    notify_url: str
    return_url: str
    certificates: bool

    def text(self, name: str, limit: int = 256) -> str:
        value = self.content.get(name, "")
        if not isinstance(value, str) or len(value) > limit:
            raise parameter(name)
        return value

    def need(self, name: str, limit: int = 256) -> str:
        value = self.text(name, limit)
        if not value:
            raise parameter(name)
        return value

    def number(self, name: str = "out_trade_no") -> str:
        value = self.need(name, 64)
        if not OUT_NUMBER.fullmatch(value):
            raise parameter(name)
        return value

    def which(self) -> dict[str, str]:
        """The trade meant, by our number or the merchant's."""
        given = {name: self.text(name, 64) for name in ("out_trade_no", "trade_no")}
        if not any(given.values()):
            raise parameter("out_trade_no")
        return given

    def fen(self, name: str, source: dict[str, Any] | None = None) -> int:
        """Yuan as text with at most two decimals, above zero; a JSON number is taken too."""
        value = (self.content if source is None else source).get(name)
        text = str(value) if isinstance(value, int | float | str) else ""
        if not _YUAN.fullmatch(text):
            raise parameter(name)
        whole, _, part = text.partition(".")
        fen = int(whole) * 100 + int(part.ljust(2, "0") or 0)
        if fen < 1:
            raise parameter(name)
        return fen

    def deadline(self, *, default: timedelta, express: str = "timeout_express") -> datetime:
        """Until when it can be paid: an instant, a span, or the product's own."""
        instant, span = self.text("time_expire"), self.text(express)
        if instant:
            if not _TIME.fullmatch(instant[:19]):
                raise parameter("time_expire")
            return datetime.fromisoformat(instant[:19]).replace(tzinfo=clock.SHANGHAI)
        found = _EXPRESS.fullmatch(span) if span else None
        if span and found is None:
            raise parameter(express)
        if found is None:
            return clock.now() + default
        return clock.now() + timedelta(seconds=int(found[1]) * _UNITS[found[2]])

    def fingerprint(self, *parts: object) -> str:
        return fingerprint([self.method, *parts])


def fields_of(request: HttpRequest) -> dict[str, str]:
    """Parameters of query and body together; both may bear a part."""
    fields = {name: str(value) for name, value in request.GET.items()}
    for name, value in request.POST.items():
        if fields.setdefault(name, str(value)) != str(value):
            raise _unsigned("40002", "isv.invalid-parameter", f"参数不一致：{name}")
    return fields


def asked_verify(fields: dict[str, str]) -> Asked:
    """The application that signed exactly these parameters."""
    for name in ("app_id", "method", "sign", "sign_type", "charset", "timestamp", "version"):
        if not fields.get(name):
            raise _unsigned("40001", f"isv.missing-{name.replace('_', '-')}", f"缺少参数：{name}")
    merchant = Merchant.objects.filter(app_id=fields["app_id"]).first()
    if merchant is None:
        raise _unsigned("40002", "isv.invalid-app-id", "无效的AppID参数")
    if fields["sign_type"] != "RSA2" or fields["charset"].lower() != "utf-8":
        raise _unsigned("40002", "isv.invalid-signature-type", "无效的签名类型或字符集")
    if not _TIME.fullmatch(fields["timestamp"]):
        raise _unsigned("40002", "isv.invalid-timestamp", "非法的时间戳参数")
    if not request_genuine(fields, merchant.public_key):
        raise _unsigned("40002", "isv.invalid-signature", "无效签名")
    return Asked(
        merchant=merchant,
        method=fields["method"],
        content=_content(fields.get("biz_content", "{}")),
        notify_url=_web(fields, "notify_url"),
        return_url=_web(fields, "return_url"),
        certificates=_certificates(fields, merchant),
    )


def _certificates(fields: dict[str, str], merchant: Merchant) -> bool:
    """Whether the request names its certificates, and the right ones."""
    given = fields.get("app_cert_sn", ""), fields.get("alipay_root_cert_sn", "")
    if not any(given):
        return False
    house = house_keys()
    if given != (certificate_serial(merchant.app_cert), certificate_serial(house.root_cert)):
        raise _unsigned("40002", "isv.invalid-app-cert-sn", "应用公钥证书序列号无效")
    return True


def _content(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise Refused("isv.invalid-parameter", "biz_content不是JSON对象", code="40002")
    return data


def _web(fields: dict[str, str], name: str) -> str:
    value = fields.get(name, "")
    if value and not value.startswith(("https://", "http://")):
        raise Refused("isv.invalid-parameter", f"参数无效：{name}", code="40002")
    return value


def _unsigned(code: str, sub_code: str, message: str) -> Refused:
    return Refused(sub_code, message, code=code, signed=False)


def reply(method: str, out: dict[str, Any], *, spoilt: bool, certificates: bool) -> HttpResponse:
    """The signed reply; the sign covers the text of its response object as it is sent."""
    raw = json.dumps({"code": "10000", "msg": "Success"} | out, ensure_ascii=False)
    # Slashes leave escaped, as at the real gateway: whoever parses and writes again is caught.
    raw = raw.replace("/", "\\/")
    sign = text_sign(raw, stranger_key() if spoilt else vendor_key())
    serial = certificate_serial(house_keys().alipay_cert) if certificates else ""
    beside = f'"alipay_cert_sn":"{serial}",' if serial else ""
    name = method.replace(".", "_") + "_response"
    body = f'{{"{name}":{raw},{beside}"sign":"{sign}"}}'
    return HttpResponse(body, content_type="text/html;charset=utf-8", headers=_trace())


def refusal(method: str, error: Refused, *, spoilt: bool, certificates: bool) -> HttpResponse:
    out = {
        "code": error.code,
        "msg": MESSAGES.get(error.code, "Business Failed"),
        "sub_code": error.sub_code,
        "sub_msg": error.message,
    }
    if error.signed:
        return reply(method, out, spoilt=spoilt, certificates=certificates)
    body = json.dumps({"error_response": out}, ensure_ascii=False)
    return HttpResponse(body, content_type="text/html;charset=utf-8", headers=_trace())


def _trace() -> dict[str, str]:
    return {"trace_id": secrets.token_hex(16)}
