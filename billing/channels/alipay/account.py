"""The named secrets of an Alipay merchant account, read once and kept as key objects.

`merchant_no` is the seller's user id (PID, 2088…), `app_id` the application's. A missing secret is
a configuration error and raises; nothing here ever calls the network.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from django.core.exceptions import ImproperlyConfigured

from billing.channels.base import MerchantAccount, NoticeKind
from core.rsa2 import NotRsa, private_key, public_key

from .certificates import certificate_key, certificate_sn, root_sn

RSA2_BITS = 2048


def secret_get(account: MerchantAccount, name: str) -> str:
    """A secret that must be there."""
    value = account.secrets.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"alipay {account.merchant_no}: secret {name} is missing")
    return value


def app_key(account: MerchantAccount) -> RSAPrivateKey:
    """Our private key: signs every request."""
    return _private_key(secret_get(account, "app_private_key"))


def alipay_keys(account: MerchantAccount) -> list[RSAPublicKey]:
    """The channel's public keys, the present one first; two while a key is being exchanged."""
    certificate = account.secrets.get("alipay_cert", "")
    if certificate:
        keys = [_certificate_key(certificate)]
    else:
        keys = [_public_key(secret_get(account, "alipay_public_key"))]
    previous = account.secrets.get("previous_alipay_public_key", "")
    return [*keys, _public_key(previous)] if previous else keys


def certificate_mode(account: MerchantAccount) -> bool:
    """Whether requests name certificates; calls that pay money out demand it."""
    return bool(account.secrets.get("app_cert", ""))


def certificate_numbers(account: MerchantAccount) -> dict[str, str]:
    """The request parameters of certificate mode; empty in public key mode."""
    if not certificate_mode(account):
        return {}
    return {
        "app_cert_sn": certificate_sn(secret_get(account, "app_cert")),
        "alipay_root_cert_sn": root_sn(secret_get(account, "alipay_root_cert")),
    }


def alipay_cert_sn(account: MerchantAccount) -> str:
    """The serial a reply of certificate mode must name; empty in public key mode."""
    certificate = account.secrets.get("alipay_cert", "")
    return certificate_sn(certificate) if certificate else ""


def notify_url(account: MerchantAccount, kind: NoticeKind) -> str:
    """Where the channel sends notices."""
    base = account.notify_base_url.rstrip("/")
    return f"{base}/notices/alipay/{account.merchant_no}/{kind.value}"


def _private_key(text: str) -> RSAPrivateKey:
    try:
        key = private_key(text)
    except NotRsa:
        key = None
    if key is None or key.key_size < RSA2_BITS:
        raise ImproperlyConfigured("alipay: app_private_key is no RSA key of 2048 bits")
    return key


def _public_key(text: str) -> RSAPublicKey:
    try:
        return public_key(text)
    except NotRsa as error:
        raise ImproperlyConfigured("alipay: a public key of the channel is not RSA") from error


@lru_cache(maxsize=64)
def _certificate_key(text: str) -> RSAPublicKey:
    key = certificate_key(text)
    if not isinstance(key, RSAPublicKey):
        raise ImproperlyConfigured("alipay: alipay_cert holds no RSA key")
    return key
