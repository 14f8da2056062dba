"""Signatures of the second protocol generation: MD5 or HMAC-SHA256 over sorted fields.

The kind is the account's setting. A message naming another kind is refused: the weaker one must
not be chosen by whoever sends. Both generations of key material stay apart: this one is
`api_v2_key`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.padding import PKCS7
from django.core.exceptions import ImproperlyConfigured

from billing.channels.base import MerchantAccount

from .account import secret_get


class SignType(StrEnum):
    """The two kinds the channel offers."""

    MD5 = "MD5"
    HMAC_SHA256 = "HMAC-SHA256"


class V2SignatureRefused(Exception):
    """The fields are not proven to come from the channel."""


def sign_type_of(account: MerchantAccount) -> SignType:
    """The account's kind; MD5 is the channel's default."""
    name = account.secrets.get("sign_type", "") or SignType.MD5.value
    try:
        return SignType(name)
    except ValueError as error:
        raise ImproperlyConfigured(f"wechat_pay: unknown sign_type {name!r}") from error


def fields_sign(fields: Mapping[str, str], *, key: str, sign_type: SignType) -> str:
    """The `sign` of the non-empty fields, upper-case hex."""
    pairs = sorted((name, value) for name, value in fields.items() if value and name != "sign")
    text = "&".join(f"{name}={value}" for name, value in pairs) + f"&key={key}"
    if sign_type is SignType.HMAC_SHA256:
        return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().upper()
    return hashlib.md5(text.encode()).hexdigest().upper()  # noqa: S324 - the channel's protocol


def fields_signed(fields: Mapping[str, str], *, account: MerchantAccount) -> dict[str, str]:
    """The fields with `sign` (and `sign_type` where it is not the channel's default)."""
    sign_type = sign_type_of(account)
    signed = {name: value for name, value in fields.items() if value}
    if sign_type is not SignType.MD5:
        signed["sign_type"] = sign_type.value
    key = secret_get(account, "api_v2_key")
    signed["sign"] = fields_sign(signed, key=key, sign_type=sign_type)
    return signed


def fields_verify(fields: Mapping[str, str], *, account: MerchantAccount) -> None:
    """Believe the fields, or raise `V2SignatureRefused`."""
    given = fields.get("sign", "")
    sign_type = sign_type_of(account)
    if not given:
        raise V2SignatureRefused("no signature")
    if fields.get("sign_type", sign_type.value) != sign_type.value:
        raise V2SignatureRefused("signed in another way than agreed")
    expected = fields_sign(fields, key=secret_get(account, "api_v2_key"), sign_type=sign_type)
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise V2SignatureRefused("wrong signature")


def req_info_open(sealed: bytes, *, account: MerchantAccount) -> bytes:
    """Decrypt `req_info` of a refund notice: AES-256-ECB under the hex MD5 of the key, PKCS7."""
    key = hashlib.md5(secret_get(account, "api_v2_key").encode()).hexdigest()  # noqa: S324
    decryptor = Cipher(AES(key.encode()), ECB()).decryptor()  # noqa: S305 - the channel's protocol
    unpadder = PKCS7(AES.block_size).unpadder()
    try:
        padded = decryptor.update(sealed) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise V2SignatureRefused("req_info does not decrypt") from error
