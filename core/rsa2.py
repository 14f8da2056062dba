"""RSA2: SHA-256 with RSA (PKCS#1 v1.5), base64, as the wallets sign and want to be signed to.

What is signed over is the caller's, save Alipay's sorted parameters, which two doors speak. Keys
are PEM text or, as open platforms show them, bare base64; each is parsed once.
"""

from __future__ import annotations

import base64
import binascii
import re
import textwrap
from collections.abc import Iterable, Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

SIGN_TYPE = "RSA2"


class SignatureRefused(Exception):
    """The message is not proven to come from the holder of the key."""


class NotRsa(ValueError):
    """A key of another kind."""


def rsa2_sign(key: RSAPrivateKey, text: bytes) -> str:
    return base64.b64encode(key.sign(text, PKCS1v15(), SHA256())).decode()


def rsa2_verify(keys: Iterable[RSAPublicKey], text: bytes, signature: str) -> None:
    """Believe a text that one of the keys signed, or raise `SignatureRefused`."""
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


def request_text(fields: Mapping[str, str]) -> bytes:
    """Every parameter but the sign itself, empty ones dropped, in the order of their names."""
    return joined_text({k: v for k, v in fields.items() if k != "sign" and v != ""})


def joined_text(fields: Mapping[str, str]) -> bytes:
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields)).encode()


@lru_cache(maxsize=128)
def private_key(text: str) -> RSAPrivateKey:
    """Raises ValueError for what cannot be read, NotRsa for a key of another kind."""
    key = load_pem_private_key(_pem(text, "PRIVATE KEY"), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise NotRsa("not an RSA key")
    return key


@lru_cache(maxsize=128)
def public_key(text: str) -> RSAPublicKey:
    """Raises as `private_key`."""
    key = load_pem_public_key(_pem(text, "PUBLIC KEY"))
    if not isinstance(key, RSAPublicKey):
        raise NotRsa("not an RSA key")
    return key


def _pem(text: str, label: str) -> bytes:
    if "-----BEGIN" in text:
        return text.encode()
    lines = textwrap.fill(re.sub(r"\s", "", text), 64)
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n".encode()
