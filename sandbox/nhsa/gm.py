"""SM2, SM3 and SM4 as the mobile pay centre uses them; the library is not the portal's.

gmssl takes `04` for a mark in front of a public key and strips every leading 0 and 4, also those
that belong to it. Keys are therefore kept without the mark and set past its constructor.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from typing import Any

from gmssl import func, sm2, sm3, sm4

VERSION = "2.0.1"
USER_ID = b"1234567812345678"
_ORDER = int(sm2.default_ecc_table["n"], 16)
_KEY_HEX = 128
# Not part of what is signed.
UNSIGNED = ("signData", "encData", "extra")


class GmError(Exception):
    """An envelope that does not open: wrong key, wrong hex, wrong signature."""


def _curve(private: str, public: str) -> Any:
    curve = sm2.CryptSM2(private_key=private, public_key="")
    curve.public_key = public
    return curve


def key_pair() -> tuple[str, str]:
    """A private key (64 hex) and its public one (128 hex, no mark before it)."""
    private = f"{secrets.randbelow(_ORDER - 2) + 1:064x}"
    point = _curve(private, "")._kg(int(private, 16), sm2.default_ecc_table["g"])
    return private, str(point)


def key_base64(hexadecimal: str) -> str:
    return base64.b64encode(bytes.fromhex(hexadecimal)).decode()


def session_key(app_id: str, app_secret: str) -> bytes:
    """Step 1: the SM4 key is the first 16 hex characters of the secret under the id."""
    sealed = _sm4(app_id[:16].encode(), app_secret.encode(), sm4.SM4_ENCRYPT)
    return sealed.hex().upper()[:16].encode()


def _sm4(key: bytes, data: bytes, way: int) -> bytes:
    cipher = sm4.CryptSM4(padding_mode=sm4.PKCS7)
    cipher.set_key(key, way)
    return bytes(cipher.crypt_ecb(data))


def data_encrypt(key: bytes, data: dict[str, Any]) -> str:
    """Step 2: upper-case hex of the compact JSON."""
    return _sm4(key, compact(data).encode(), sm4.SM4_ENCRYPT).hex().upper()


def data_decrypt(key: bytes, text: str) -> dict[str, Any]:
    """The object inside, numbers as the text they were written in."""
    try:
        raw = bytes.fromhex(text)
        if not raw or len(raw) % 16:
            raise GmError("encData的长度不对")
        plain = _sm4(key, raw, sm4.SM4_DECRYPT).decode()
        opened = json.loads(plain, parse_float=str, parse_int=str)
    except (ValueError, IndexError, RecursionError) as error:
        raise GmError("encData解密失败") from error
    if not isinstance(opened, dict):
        raise GmError("encData不是对象")
    return opened


def compact(value: Any) -> str:
    """JSON without blanks, keys sorted at every depth, arrays in their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def pruned(value: Any) -> Any:
    """Step 3: without null, empty text and empty arrays, at every depth."""
    if isinstance(value, dict):
        kept = {name: pruned(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one not in (None, "", [])}
    if isinstance(value, list):
        return [pruned(one) for one in value]
    return value


def worded(value: Any) -> Any:
    """Step 4: every scalar as text, the form in which all known variants agree."""
    if isinstance(value, dict):
        return {name: worded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [worded(one) for one in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def sign_text(outer: dict[str, Any], app_secret: str) -> str:
    """What is signed: sorted key=value pairs of the outer object, then the secret."""
    kept = pruned({name: one for name, one in outer.items() if name not in UNSIGNED})
    parts = [
        f"{name}={compact(one) if isinstance(one, dict | list) else worded(one)}"
        for name, one in sorted(kept.items())
    ]
    return "&".join([*parts, f"key={app_secret}"])


def sign(text: str, private: str, public: str) -> str:
    """Step 5: SM3withSM2, 64 bytes r and s, Base64."""
    curve = _curve(private, public)
    digest, signed = _digest(text, public), None
    while not signed:
        # gmssl's own random numbers come from a generator that can be foretold.
        signed = curve.sign(digest, f"{secrets.randbelow(_ORDER - 1) + 1:064x}")
    return base64.b64encode(bytes.fromhex(signed)).decode()


def genuine(text: str, signature: str, public: str) -> bool:
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    if len(raw) != _KEY_HEX // 2:
        return False
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    if not (0 < r < _ORDER and 0 < s < _ORDER):
        return False
    return bool(_curve("", public).verify(raw.hex(), _digest(text, public)))


def _digest(text: str, public: str) -> bytes:
    """e = SM3(Z ‖ M) with Z over the user id, the curve and the signer's key."""
    table = sm2.default_ecc_table
    length = f"{len(USER_ID) * 8:04x}"
    z = f"{length}{USER_ID.hex()}{table['a']}{table['b']}{table['g']}{public}"
    za = sm3.sm3_hash(func.bytes_to_list(bytes.fromhex(z)))
    return bytes.fromhex(sm3.sm3_hash(func.bytes_to_list(bytes.fromhex(za) + text.encode())))
