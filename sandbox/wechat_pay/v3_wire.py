"""The v3 protocol on the wire: who signed the request, and our signature under every answer."""

from __future__ import annotations

import functools
import json
import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.http import HttpRequest, HttpResponse

from sandbox.wechat_pay import crypto
from sandbox.wechat_pay.models import House, Merchant
from sandbox.wechat_pay.refusal import V3_CODES, Refused
from sandbox.world import clock
from sandbox.world.faults import Fault
from sandbox.world.wire import call_struck

SKEW = timedelta(minutes=5)
_ITEM = re.compile(r'\s*(\w+)="([^"]*)"\s*')
_ITEMS = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}
Answer = tuple[int, dict[str, Any] | None]
V3View = Callable[..., Answer]


def v3_call(
    operation: str, method: str, able: frozenset[str] | None = None
) -> Callable[[V3View], Callable[..., HttpResponse]]:
    """A v3 endpoint: authenticate, let the fault strike, run, sign the answer."""

    def wrap(view: V3View) -> Callable[..., HttpResponse]:
        @functools.wraps(view)
        def answer(request: HttpRequest, **kwargs: str) -> HttpResponse:
            def execute(fault: Fault | None) -> HttpResponse:
                try:
                    if request.method != method:
                        raise Refused(405, "INVALID_REQUEST", "HTTP方法不被允许")
                    merchant = authenticate(request)
                    data = body_of(request) if method == "POST" else {}
                    status, out = view(merchant, data, fault, request, **kwargs)
                except Refused as error:
                    status = error.status
                    out = {
                        "code": V3_CODES.get(error.code, error.code),
                        "message": error.message,
                    }
                return sealed(status, out, spoilt=bool(fault and fault.name == "bad_signature"))

            return call_struck(request, "wechat_pay", operation, execute, able)

        return answer

    return wrap


def authenticate(request: HttpRequest) -> Merchant:
    """The merchant whose private key signed exactly this request, within five minutes."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    items = dict(_ITEM.findall(rest))
    if scheme != crypto.SCHEME or set(items) != _ITEMS:
        raise Refused(401, "SIGN_ERROR", "Http头Authorization值格式错误，请参考《微信支付签名》")
    merchant = Merchant.objects.filter(mchid=items["mchid"]).first()
    if merchant is None or not secrets.compare_digest(
        items["serial_no"].upper().encode(), merchant.serial_no.encode()
    ):
        raise Refused(401, "SIGN_ERROR", "商户证书序列号有误")
    if not _recent(items["timestamp"]):
        raise Refused(
            401, "SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟"
        )
    text = crypto.lines(
        request.method or "",
        request.META.get("sandbox.raw_path") or request.get_full_path(),
        items["timestamp"],
        items["nonce_str"],
        request.body,
    )
    if not crypto.rsa_verify(public_key(merchant.client_cert), text, items["signature"]):
        raise Refused(401, "SIGN_ERROR", "错误的签名，验签失败")
    return merchant


def _recent(text: str) -> bool:
    if not text.isascii() or not text.isdecimal():
        return False
    # While the portal catches up with a moved clock its requests may bear either end's time.
    now = clock.now()
    start = (clock.moving_from() or now) - SKEW
    return start.timestamp() <= int(text) <= (now + SKEW).timestamp()


@functools.lru_cache(maxsize=64)
def public_key(certificate: str) -> RSAPublicKey:
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    if not isinstance(key, RSAPublicKey):
        raise TypeError("an RSA certificate is expected")
    return key


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of a v3 request; an empty body is an empty object."""
    try:
        data = json.loads(request.body or b"{}")
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise Refused(400, "PARAM_ERROR", "请求体不是合法的JSON")
    return data


def sealed(status: int, out: dict[str, Any] | None, *, spoilt: bool) -> HttpResponse:
    body = b"" if out is None else json.dumps(out, ensure_ascii=False).encode()
    answer = HttpResponse(body, status=status, content_type="application/json; charset=utf-8")
    for name, value in seal(body, spoilt=spoilt).items():
        answer[name] = value
    answer["Request-ID"] = secrets.token_hex(16).upper()
    return answer


def seal(body: bytes, *, spoilt: bool) -> dict[str, str]:
    """The five headers under a body of ours; spoilt, the signature is of another body."""
    house = house_keys()
    stamp, nonce = str(int(clock.now().timestamp())), secrets.token_hex(16)
    text = crypto.lines(stamp, nonce, body + b" spoilt" if spoilt else body)
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": crypto.rsa_sign(house.private_key, text),
        "Wechatpay-Serial": house.public_key_id,
        "Wechatpay-Signature-Type": crypto.SCHEME,
    }


_house: list[House] = []


def house_keys() -> House:
    """The vendor's keys, read once: they never change while the process lives."""
    if not _house:
        _house.append(House.objects.get())
    return _house[0]
