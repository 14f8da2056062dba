"""The mobile pay centre's envelope: opened with SM4, believed with SM2, answered the same way."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse, JsonResponse

from sandbox.nhsa import gm
from sandbox.nhsa.fields import Fields
from sandbox.nhsa.models import House
from sandbox.nhsa.provision import house
from sandbox.nhsa.refusal import Refused
from sandbox.world import clock

MILLISECONDS = 13
WRITTEN = "%Y%m%d%H%M%S"
# Codes of this platform: only "0" is known to mean success.
REFUSED, UNPROVEN = "1001", "9001"


@dataclass(frozen=True)
class Opened:
    """The business object of a request that the hospital signed."""

    data: Fields
    house: House


def envelope_open(body: bytes) -> Opened:
    outer = _outer(body)
    own = house()
    if outer.need("appId", 64) != own.app_id:
        raise Refused("appId无效")
    outer.choice("encType", ("SM4",))
    outer.choice("signType", ("SM2",))
    outer.choice("version", (gm.VERSION,))
    if not _recent(outer.need("timestamp", 20), own.clock_window_s):
        raise Refused("时间戳超出允许范围")
    key = gm.session_key(own.app_id, own.app_secret)
    try:
        data = gm.data_decrypt(key, outer.need("encData", 4_000_000))
    except gm.GmError as error:
        raise Refused(str(error)) from error
    text = gm.sign_text(outer.data | {"data": gm.worded(data)}, own.app_secret)
    if not gm.genuine(text, outer.need("signData", 200), own.hospital_public):
        raise Refused("验签失败")
    return Opened(Fields(data, "data"), own)


def _outer(body: bytes) -> Fields:
    try:
        outer = json.loads(body.decode("utf8"))
    except (ValueError, RecursionError) as error:
        raise Refused("报文不是JSON") from error
    if not isinstance(outer, dict):
        raise Refused("报文不是JSON对象")
    return Fields(outer, "报文")


def _recent(text: str, window_s: int) -> bool:
    """Milliseconds as text, or yyyyMMddHHmmss as one place writes it."""
    if not (text.isascii() and text.isdecimal()):
        return False
    if len(text) == MILLISECONDS:
        at = int(text) / 1000
    else:
        try:
            parsed = datetime.strptime(text, WRITTEN)  # noqa: DTZ007 - the zone follows
        except ValueError:
            return False
        at = parsed.replace(tzinfo=clock.SHANGHAI).timestamp()
    window = timedelta(seconds=window_s)
    now = clock.now()
    start = (clock.moving_from() or now) - window
    return start.timestamp() <= at <= (now + window).timestamp()


def sealed(
    own: House, data: dict[str, Any], head: dict[str, Any] | None = None, *, spoilt: bool = False
) -> dict[str, Any]:
    """An outer object around data of ours; all but the encrypted text and the sign is signed."""
    words: dict[str, Any] = gm.worded(data)
    outer = _frame(own) | (head or {})
    private, public = own.platform_private, own.platform_public
    if spoilt:
        private, public = gm.key_pair()
    key = gm.session_key(own.app_id, own.app_secret)
    text = gm.sign_text(outer | {"data": words}, own.app_secret)
    return outer | {
        "encData": gm.data_encrypt(key, words),
        "signData": gm.sign(text, private, public),
    }


def _frame(own: House) -> dict[str, Any]:
    return {
        "appId": own.app_id,
        "encType": "SM4",
        "signType": "SM2",
        "timestamp": str(int(clock.now().timestamp() * 1000)),
        "version": gm.VERSION,
    }


def answer(own: House, data: dict[str, Any], *, spoilt: bool) -> HttpResponse:
    head = {"code": "0", "message": "成功", "success": True}
    return JsonResponse(
        sealed(own, data, head, spoilt=spoilt), json_dumps_params={"ensure_ascii": False}
    )


def refusal(message: str, *, code: str = REFUSED) -> HttpResponse:
    """A refusal is signed too, without data."""
    own = house()
    outer = _frame(own) | {"code": code, "message": message, "success": False}
    text = gm.sign_text(outer, own.app_secret)
    outer["signData"] = gm.sign(text, own.platform_private, own.platform_public)
    return JsonResponse(outer, json_dumps_params={"ensure_ascii": False})
