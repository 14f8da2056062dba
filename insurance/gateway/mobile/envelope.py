"""The centre's envelope: data encrypted by SM4, the plain text of it signed by SM2.

Answers are decrypted, put back as `data` and verified. Implementations differ in whether numbers
inside `data` are signed as numbers or as texts: both are tried, nothing else is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from core import clock
from insurance.gateway import gm
from insurance.gateway.base import RegionProfile, TimestampForm
from insurance.gateway.envelope import json_write
from insurance.gateway.profile import secret_get
from insurance.gateway.reading import JsonObject, Node, Unreadable, object_read

ENC_TYPE, SIGN_TYPE = "SM4", "SM2"


def timestamp_write(at: datetime, form: TimestampForm) -> str:
    """Milliseconds or fourteen digits, as the region's centre wants it."""
    if form is TimestampForm.COMPACT:
        return f"{at.astimezone(clock.ZONE):%Y%m%d%H%M%S}"
    return str(int(at.timestamp() * 1000))


def data_write(data: Mapping[str, object]) -> str:
    """What is meant, in the one text that every variant signs alike: scalars as texts."""
    return gm.data_text(gm.stringified(data))


def wrap(profile: RegionProfile, data: Mapping[str, object], at: datetime) -> bytes:
    """The request body around some data."""
    secret = secret_get(profile, "mobile_app_secret")
    outer: dict[str, object] = {
        "appId": secret_get(profile, "mobile_app_id"),
        "encType": ENC_TYPE,
        "signType": SIGN_TYPE,
        "timestamp": timestamp_write(at, profile.mobile_timestamp),
        "version": profile.mobile_version,
    }
    text = gm.sign_text(outer, gm.stringified(data), secret)
    private_key = gm.private_key_read(secret_get(profile, "mobile_private_key"))
    return json_write(
        outer
        | {
            "encData": gm.data_encrypt(_key(profile), data_write(data)),
            "signData": gm.sm2_sign(private_key, text),
        }
    )


def unwrap(profile: RegionProfile, outer: JsonObject) -> JsonObject:
    """The data of a message that is surely the centre's; SignatureRefused, CipherRefused."""
    said = Node(outer, "envelope")
    app_id = secret_get(profile, "mobile_app_id")
    if said.text("appId") not in ("", app_id):
        raise gm.SignatureRefused("the message is for another app")
    for name, only in (("encType", ENC_TYPE), ("signType", SIGN_TYPE)):
        if said.text(name).upper() not in ("", only):
            raise Unreadable(f"{name} is not {only}")
    sealed = said.text("encData")
    data = object_read(gm.data_decrypt(_key(profile), sealed)) if sealed else None
    _verify(profile, outer, data, said.text("signData"))
    return data or {}


def _verify(
    profile: RegionProfile, outer: JsonObject, data: JsonObject | None, signature: str
) -> None:
    if not signature:
        raise gm.SignatureRefused("signData is missing")
    public_key = gm.public_key_read(secret_get(profile, "mobile_platform_key"))
    secret = secret_get(profile, "mobile_app_secret")
    as_written = gm.sign_text(outer, data, secret)
    as_texts = gm.sign_text(outer, None if data is None else gm.stringified(data), secret)
    try:
        gm.sm2_verify(public_key, as_texts, signature)
    except gm.SignatureRefused:
        if as_written == as_texts:
            raise
        gm.sm2_verify(public_key, as_written, signature)


def _key(profile: RegionProfile) -> bytes:
    return gm.session_key(
        secret_get(profile, "mobile_app_id"), secret_get(profile, "mobile_app_secret")
    )
