"""RSA2 as the vendor does it: requests verified, replies and notices signed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sandbox.alipay.models import House
from sandbox.wechat_pay.crypto import rsa_sign, rsa_verify
from sandbox.wechat_pay.keys import key_make, key_text


def request_genuine(fields: Mapping[str, str], public_key: str) -> bool:
    """Whether the application signed exactly these parameters; sign_type counts, empty ones not."""
    signed = {k: v for k, v in fields.items() if k != "sign" and v}
    return rsa_verify(_public_key(public_key), _joined(signed), fields.get("sign", ""))


def form_sign(fields: Mapping[str, str], private_key: str) -> str:
    """The sign of a notice: over every field, sign_type not among them."""
    return rsa_sign(private_key, _joined(fields))


def text_sign(raw: str, private_key: str) -> str:
    """The sign of a reply: over the raw text of its response object."""
    return rsa_sign(private_key, raw.encode())


def _joined(fields: Mapping[str, str]) -> bytes:
    return "&".join(f"{k}={v}" for k, v in sorted(fields.items())).encode()


@lru_cache(maxsize=64)
def _public_key(pem: str) -> RSAPublicKey:
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, RSAPublicKey):
        raise TypeError("an RSA key is expected")
    return key


@lru_cache(maxsize=1)
def house_keys() -> House:
    """The vendor's keys, read once: they never change while the process lives."""
    return House.objects.get()


def vendor_key() -> str:
    return house_keys().private_key


@lru_cache(maxsize=1)
def stranger_key() -> str:
    """A key that nobody was told of, for signatures that must not be believed."""
    return key_text(key_make())
