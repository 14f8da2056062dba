"""The centre's side of the envelope, made with the second GM library as the reference says."""

from __future__ import annotations

import base64
import json
from typing import Any

from gmssl import sm4
from gmssl.sm2 import CryptSM2

from insurance.gateway import gm

APP_ID = "sandbox-app-0123456789"
APP_SECRET = "sandbox-mobile-secret"
OURS = (0x1234567).to_bytes(32, "big")
THEIRS = (0x7654321).to_bytes(32, "big")
SECRETS = {
    "paas_id": "sandbox-paas",
    "secret_key": "sandbox-key",
    "mobile_app_id": APP_ID,
    "mobile_app_secret": APP_SECRET,
    "mobile_private_key": base64.b64encode(b"\x00" + OURS).decode(),
    "mobile_platform_key": base64.b64encode(b"\x04" + gm.public_key_of(THEIRS)).decode(),
}


def _cipher(mode: int) -> sm4.CryptSM4:
    outer = sm4.CryptSM4()
    outer.set_key(APP_ID[:16].encode(), sm4.SM4_ENCRYPT)
    key = outer.crypt_ecb(APP_SECRET.encode()).hex().upper()[:16].encode()
    found = sm4.CryptSM4()
    found.set_key(key, mode)
    return found


def _signer(private: bytes) -> CryptSM2:
    public = gm.public_key_of(private).hex()
    found = CryptSM2(private_key=private.hex(), public_key=public, asn1=False)
    found.public_key = public
    return found


def opened(body: bytes) -> dict[str, Any]:
    """The data of our request, after the centre has verified it in its own words."""
    outer = json.loads(body)
    data = json.loads(_cipher(sm4.SM4_DECRYPT).crypt_ecb(bytes.fromhex(outer["encData"])))
    shown = json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    text = (
        f"appId={outer['appId']}&data={shown}&encType=SM4&signType=SM2"
        f"&timestamp={outer['timestamp']}&version={outer['version']}&key={APP_SECRET}"
    )
    signature = base64.b64decode(outer["signData"]).hex()
    assert _signer(OURS).verify_with_sm3(signature, text.encode())
    return data


def pruned(value: Any) -> Any:
    """Without null, empty text and empty list at every depth, as the rule for the text says."""
    if isinstance(value, dict):
        kept = {name: pruned(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner not in (None, "", [])}
    return [pruned(inner) for inner in value] if isinstance(value, list) else value


def answered(
    data: dict[str, Any], code: str = "0", message: str = "", *, signed_as: str = ""
) -> bytes:
    """An answer; `signed_as` is the data text under the signature when it is not the canonical."""
    plain = json.dumps(pruned(data), ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    outer: dict[str, Any] = {
        "appId": APP_ID, "code": code, "encType": "SM4", "message": message, "signType": "SM2",
        "success": "true" if code == "0" else "false", "timestamp": "1763604000000",
    }  # fmt: skip
    parts = {name: value for name, value in outer.items() if value} | {"data": signed_as or plain}
    text = "&".join(f"{name}={parts[name]}" for name in sorted(parts)) + f"&key={APP_SECRET}"
    signature = _signer(THEIRS).sign_with_sm3(text.encode())
    outer["encData"] = _cipher(sm4.SM4_ENCRYPT).crypt_ecb(plain.encode()).hex().upper()
    outer["signData"] = base64.b64encode(bytes.fromhex(signature)).decode()
    return json.dumps(outer, ensure_ascii=False).encode()
