"""The national algorithms as the mobile-pay centre uses them: SM4-ECB, SM3withSM2, its sign text.

SM4 is `cryptography`'s (OpenSSL), SM2 and SM3 are GmSSL's (gmssl-pyx). Keys come as Base64 with or
without the byte that some tools put before them, and are normalised here explicitly: a 64-byte
public key may itself begin with 04. Signatures travel as r and s, 64 bytes plain.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from functools import lru_cache

import gmssl_pyx
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.core.exceptions import ImproperlyConfigured

from insurance.gateway.base import GatewayFault
from insurance.gateway.reading import Number

KEY_BYTES, PRIVATE_BYTES, PUBLIC_BYTES, SIGNATURE_BYTES = 16, 32, 64, 64
BLOCK_BITS = 128
UNCOMPRESSED = 4
UNSIGNED = frozenset({"signData", "encData", "extra"})

# sm2p256v1 (GB/T 32918.5): the prime, the coefficient a, the order, the base point.
_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
_A = _P - 3
_N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
_G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
Point = tuple[int, int]


class SignatureRefused(GatewayFault):
    """A signature is missing, malformed or not the platform's."""


class CipherRefused(GatewayFault):
    """A ciphertext that our key does not open."""


def session_key(app_id: str, app_secret: str) -> bytes:
    """K: the secret encrypted under the app's id, of whose hex text the first half is the key."""
    outer = app_id.encode()[:KEY_BYTES]
    if len(outer) != KEY_BYTES or not app_secret:
        raise ImproperlyConfigured("mobile-pay centre: the app id has 16 characters or more")
    return sm4_encrypt(outer, app_secret.encode()).hex().upper()[:KEY_BYTES].encode()


def sm4_encrypt(key: bytes, plaintext: bytes) -> bytes:
    """SM4-ECB with PKCS#7: the centre's choice, which hides lengths and repetitions badly; the
    line it travels on is TLS as well."""
    padder = padding.PKCS7(BLOCK_BITS).padder()
    padded = padder.update(plaintext) + padder.finalize()
    encryptor = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()  # noqa: S305
    return encryptor.update(padded) + encryptor.finalize()


def sm4_decrypt(key: bytes, ciphertext: bytes) -> bytes:
    """The plaintext, or CipherRefused."""
    try:
        decryptor = Cipher(algorithms.SM4(key), modes.ECB()).decryptor()  # noqa: S305
        padded = decryptor.update(ciphertext) + decryptor.finalize()
        unpadder = padding.PKCS7(BLOCK_BITS).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise CipherRefused("encData does not open") from error


def data_encrypt(key: bytes, text: str) -> str:
    """encData: upper-case hex."""
    return sm4_encrypt(key, text.encode()).hex().upper()


def data_decrypt(key: bytes, text: str) -> bytes:
    """The data of an answer."""
    try:
        ciphertext = bytes.fromhex(text)
    except ValueError as error:
        raise CipherRefused("encData is no hex") from error
    return sm4_decrypt(key, ciphertext)


def data_text(data: Mapping[str, object]) -> str:
    """`data` as it is signed: keys by code point at every depth, no empties, no spaces."""
    return _written(_without_empties(data))


def sign_text(
    outer: Mapping[str, object], data: Mapping[str, object] | None, app_secret: str
) -> str:
    """The text that is signed: the outer object with the plain data, sorted, then the secret."""
    said = {name: str(_as_text(value)) for name, value in outer.items() if name not in UNSIGNED}
    parts = {name: value for name, value in said.items() if value}
    if data is not None:
        parts["data"] = data_text(data)
    return "&".join(f"{name}={parts[name]}" for name in sorted(parts)) + f"&key={app_secret}"


def stringified(data: Mapping[str, object]) -> dict[str, object]:
    """The same with every scalar as text: then all implementations out there sign the same."""
    return {str(name): _as_text(inner) for name, inner in data.items()}


def sm2_sign(private_key: bytes, text: str) -> str:
    """SM3withSM2 under the default user id, r and s plain, in Base64."""
    der = gmssl_pyx.sm2_sign(private_key, public_key_of(private_key), text.encode())
    r, s = decode_dss_signature(der)
    return base64.b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).decode("ascii")


def sm2_verify(public_key: bytes, text: str, signature: str) -> None:
    """Raises SignatureRefused unless the signature is the key's over this very text."""
    try:
        plain = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureRefused("signData is no Base64") from error
    if len(plain) != SIGNATURE_BYTES:
        raise SignatureRefused(f"signData has {len(plain)} bytes")
    der = encode_dss_signature(int.from_bytes(plain[:32], "big"), int.from_bytes(plain[32:], "big"))
    try:
        good = gmssl_pyx.sm2_verify(public_key, text.encode(), der)
    except gmssl_pyx.GmsslInnerError as error:
        raise SignatureRefused("signData is no signature") from error
    if not good:
        raise SignatureRefused("signData is not the platform's")


@lru_cache(maxsize=64)
def private_key_read(text: str) -> bytes:
    """Base64 of D, 32 bytes, or 33 with a leading zero."""
    key = _decoded(text, "private key")
    if len(key) == PRIVATE_BYTES + 1 and key[0] == 0:
        key = key[1:]
    if len(key) != PRIVATE_BYTES or not 0 < int.from_bytes(key, "big") < _N - 1:
        raise ImproperlyConfigured("mobile-pay centre: the private key is no SM2 key")
    return key


@lru_cache(maxsize=64)
def public_key_read(text: str) -> bytes:
    """Base64 of the point, 64 bytes, or 65 with the leading 04."""
    key = _decoded(text, "platform key")
    if len(key) == PUBLIC_BYTES + 1 and key[0] == UNCOMPRESSED:
        key = key[1:]
    try:
        if len(key) != PUBLIC_BYTES:
            raise gmssl_pyx.InvalidValueError("length")
        return bytes(gmssl_pyx.normalize_sm2_public_key(key))
    except gmssl_pyx.InvalidValueError as error:
        raise ImproperlyConfigured("mobile-pay centre: the platform key is no SM2 point") from error


@lru_cache(maxsize=64)
def public_key_of(private_key: bytes) -> bytes:
    """Our own point: SM2 hashes it into every signature. Computed once per key and process."""
    point = _multiplied(int.from_bytes(private_key, "big"))
    return point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def _decoded(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # The cause would carry the key.
        raise ImproperlyConfigured(f"mobile-pay centre: the {what} is no Base64") from None


def _multiplied(scalar: int) -> Point:
    """scalar times the base point, by doubling and adding."""
    found: Point | None = None
    adding: Point = _G
    while scalar:
        if scalar & 1:
            found = adding if found is None else _added(found, adding)
        adding = _added(adding, adding)
        scalar >>= 1
    if found is None:
        raise ImproperlyConfigured("mobile-pay centre: the private key is zero")
    return found


def _added(one: Point, other: Point) -> Point:
    """The sum of two points that are not each other's negative."""
    if one == other:
        slope = (3 * one[0] * one[0] + _A) * pow(2 * one[1], -1, _P) % _P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, _P) % _P
    x = (slope * slope - one[0] - other[0]) % _P
    return x, (slope * (one[0] - x) - one[1]) % _P


def _as_text(value: object) -> object:
    if isinstance(value, Mapping):
        return stringified(value)
    if isinstance(value, list | tuple):
        return [_as_text(inner) for inner in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _written(value: object) -> str:
    """JSON whose numbers keep the digits they came with."""
    if isinstance(value, Mapping):
        pairs = (f"{_written(name)}:{_written(value[name])}" for name in sorted(value))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_written(inner) for inner in value) + "]"
    return str(value) if isinstance(value, Number) else json.dumps(value, ensure_ascii=False)


def _without_empties(value: object) -> object:
    """Without null, empty text and empty list, at every depth."""
    if isinstance(value, Mapping):
        kept = {str(name): _without_empties(inner) for name, inner in value.items()}
        return {name: inner for name, inner in kept.items() if inner not in (None, "", [])}
    if isinstance(value, list | tuple):
        return [_without_empties(inner) for inner in value]
    return value
