"""The named secrets of a WeChat Pay merchant account, read once and kept as key objects.

A missing secret is a configuration error and raises; nothing here ever calls the network, so a
foreign serial number in a notice cannot make the portal ask anybody.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from django.core.exceptions import ImproperlyConfigured

from billing.channels.base import MerchantAccount, NoticeKind
from core.rsa2 import NotRsa, private_key, public_key

API_V3_KEY_BYTES = 32


def secret_get(account: MerchantAccount, name: str) -> str:
    """A secret that must be there."""
    value = account.secrets.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"wechat_pay {account.merchant_no}: secret {name} is missing")
    return value


def api_v3_key(account: MerchantAccount) -> bytes:
    """The AES key of notices: exactly 32 bytes."""
    key = secret_get(account, "api_v3_key").encode()
    if len(key) != API_V3_KEY_BYTES:
        raise ImproperlyConfigured(f"wechat_pay {account.merchant_no}: api_v3_key is not 32 bytes")
    return key


def merchant_key(account: MerchantAccount) -> RSAPrivateKey:
    """Our private key: signs every v3 request."""
    return _private_key(secret_get(account, "merchant_private_key"))


def platform_keys(account: MerchantAccount) -> dict[str, RSAPublicKey]:
    """The channel's public keys by their id; two of them while a key is being exchanged."""
    keys = {
        secret_get(account, "platform_public_key_id"): _public_key(
            secret_get(account, "platform_public_key")
        )
    }
    previous_id = account.secrets.get("previous_platform_public_key_id", "")
    if previous_id:
        keys[previous_id] = _public_key(secret_get(account, "previous_platform_public_key"))
    return keys


def notify_url(account: MerchantAccount, kind: NoticeKind) -> str:
    """Where the channel sends notices; the channel forbids a query string."""
    base = account.notify_base_url.rstrip("/")
    return f"{base}/notices/wechat_pay/{account.merchant_no}/{kind.value}"


def _private_key(pem: str) -> RSAPrivateKey:
    try:
        return private_key(pem)
    except NotRsa as error:
        raise ImproperlyConfigured("wechat_pay: merchant_private_key is not an RSA key") from error


def _public_key(pem: str) -> RSAPublicKey:
    try:
        return public_key(pem)
    except NotRsa as error:
        raise ImproperlyConfigured("wechat_pay: a platform public key is not an RSA key") from error
