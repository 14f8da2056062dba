"""APIv3 signatures: what we sign, what we believe, and how a notice is opened.

Everything here fails closed: a missing, doubled, empty, old or unknown part is a `SignatureRefused`
before the body is looked at. Probe messages (`WECHATPAY/SIGNTEST/…`) fail like any wrong signature.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.rsa2 import SignatureRefused, rsa2_sign, rsa2_verify

SCHEME = "WECHATPAY2-SHA256-RSA2048"
PROBE_PREFIX = "WECHATPAY/SIGNTEST/"
# The channel refuses our clock beyond five minutes, and its own SDK refuses its messages likewise.
MAX_AGE_S = 300
GCM_NONCE_BYTES = 12

_TIMESTAMP = re.compile(r"[0-9]{10}")
# A nonce never holds a line feed: it would move the border between nonce and body.
_NONCE = re.compile(r"[0-9A-Za-z+/=_\-]{1,128}")


def nonce_new() -> str:
    """32 random characters."""
    return secrets.token_hex(16).upper()


def request_text(*, method: str, target: str, timestamp: int, nonce: str, body: bytes) -> bytes:
    """The five lines a request is signed over; `target` is the path with its query string."""
    return f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"


def wallet_text(*, app_id: str, timestamp: str, nonce: str, package: str) -> bytes:
    """The four lines under what a page asks the payer's WeChat with."""
    return f"{app_id}\n{timestamp}\n{nonce}\n{package}\n".encode()


def response_text(*, timestamp: str, nonce: str, body: bytes) -> bytes:
    """The three lines a reply or notice is signed over."""
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


def authorization_header(
    *,
    merchant_no: str,
    serial: str,
    key: RSAPrivateKey,
    method: str,
    target: str,
    timestamp: int,
    nonce: str,
    body: bytes,
) -> str:
    """The Authorization header of one request."""
    message = request_text(
        method=method, target=target, timestamp=timestamp, nonce=nonce, body=body
    )
    return (
        f'{SCHEME} mchid="{merchant_no}",nonce_str="{nonce}",'
        f'signature="{rsa2_sign(key, message)}",timestamp="{timestamp}",serial_no="{serial}"'
    )


def message_verify(
    *,
    headers: Mapping[str, str],
    body: bytes,
    keys: Mapping[str, RSAPublicKey],
    now: datetime,
) -> None:
    """Believe a reply or notice, or raise `SignatureRefused` saying why not."""
    timestamp = _header(headers, "wechatpay-timestamp")
    nonce = _header(headers, "wechatpay-nonce")
    signature = _header(headers, "wechatpay-signature")
    serial = _header(headers, "wechatpay-serial")
    scheme = _header(headers, "wechatpay-signature-type", optional=True)
    if scheme not in ("", SCHEME):
        raise SignatureRefused("unknown signature type")
    if not _TIMESTAMP.fullmatch(timestamp) or not _NONCE.fullmatch(nonce):
        raise SignatureRefused("unreadable timestamp or nonce")
    if abs(int(now.timestamp()) - int(timestamp)) >= MAX_AGE_S:
        raise SignatureRefused("timestamp is more than five minutes off")
    if signature.startswith(PROBE_PREFIX):
        raise SignatureRefused("signature probe")
    key = keys.get(serial)
    if key is None:
        raise SignatureRefused("unknown key serial")
    rsa2_verify([key], response_text(timestamp=timestamp, nonce=nonce, body=body), signature)


def resource_open(*, key: bytes, nonce: str, associated_data: str, ciphertext: str) -> bytes:
    """Decrypt the resource of a notice (AEAD_AES_256_GCM, tag at the end)."""
    try:
        sealed = base64.b64decode(ciphertext, validate=True)
        plain_nonce = nonce.encode()
        if len(plain_nonce) != GCM_NONCE_BYTES:
            raise SignatureRefused("resource nonce is not 12 bytes")
        return AESGCM(key).decrypt(plain_nonce, sealed, associated_data.encode())
    except (binascii.Error, ValueError, InvalidTag) as error:
        raise SignatureRefused("resource does not decrypt") from error


def _header(headers: Mapping[str, str], name: str, *, optional: bool = False) -> str:
    """One header, present once. Servers join a doubled header with a comma, which none holds."""
    values = [value for key, value in headers.items() if key.lower() == name]
    if not values and optional:
        return ""
    if len(values) != 1 or not values[0] or "," in values[0]:
        raise SignatureRefused(f"header {name} is missing, empty or doubled")
    return values[0]
