"""RSA2: what a request is signed over, what a notice is signed over, and whether it is true.

The two texts differ: a request's contains sign_type and drops empty values, a notice's drops
sign_type and keeps them. Nothing is escaped in either, so a value that holds "&" could be read as
two fields; such a notice is refused before its signature is looked at.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

SIGN_TYPE = "RSA2"


class SignatureRefused(Exception):
    """The message is not proven to come from the channel."""


def request_text(fields: Mapping[str, str]) -> bytes:
    """Every parameter but the sign itself, empty ones dropped, in the order of their names."""
    return _joined({k: v for k, v in fields.items() if k != "sign" and v != ""})


def notice_text(fields: Mapping[str, str]) -> bytes:
    """Every field but sign and sign_type, in the order of their names."""
    return _joined({k: v for k, v in fields.items() if k not in ("sign", "sign_type")})


def _joined(fields: Mapping[str, str]) -> bytes:
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()


def rsa2_sign(key: RSAPrivateKey, text: bytes) -> str:
    """SHA256 with RSA (PKCS#1 v1.5), base64."""
    return base64.b64encode(key.sign(text, PKCS1v15(), SHA256())).decode()


def rsa2_verify(keys: Iterable[RSAPublicKey], text: bytes, signature: str) -> None:
    """Believe a text, or raise `SignatureRefused`."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignatureRefused("signature is not base64") from error
    for key in keys:
        try:
            key.verify(raw, text, PKCS1v15(), SHA256())
        except InvalidSignature:
            continue
        return
    raise SignatureRefused("wrong signature")
