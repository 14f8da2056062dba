"""Authenticated encryption of one text: AES-256-GCM, or SM4-GCM by the setting FIELD_CIPHER.

Stored form: `algorithm:key id:base64(nonce + ciphertext + tag)`. The context, table.column, is
authenticated with it but not stored.
"""

from __future__ import annotations

import base64
import binascii
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from core.crypto.keys import FieldKey, KeyMissing, derived, provider

AES = "aes256gcm"
SM4 = "sm4gcm"
KEY_BYTES = {AES: 32, SM4: 16}
NONCE_BYTES = 12
TAG_BYTES = 16


class DecryptionError(Exception):
    """The stored text cannot be authenticated; it says nothing about what it held."""


def algorithm() -> str:
    """The algorithm new values are encrypted with."""
    name: str = getattr(settings, "FIELD_CIPHER", AES)
    if name not in KEY_BYTES:
        raise KeyMissing(f"FIELD_CIPHER must be one of {', '.join(KEY_BYTES)}")
    return name


def stored_prefix() -> str:
    """How a text starts that needs no rotation."""
    return f"{algorithm()}:{provider().active().key_id}:"


def encrypt(text: str, *, context: str) -> str:
    """Encrypt under the active key with a fresh random nonce."""
    name, key = algorithm(), provider().active()
    nonce = os.urandom(NONCE_BYTES)
    sealed = _sealed(name, _subkey(key, name), nonce, text.encode(), context.encode())
    return f"{name}:{key.key_id}:{base64.b64encode(nonce + sealed).decode('ascii')}"


def decrypt(stored: str, *, context: str) -> str:
    """The plaintext, or DecryptionError."""
    name, key_id, payload = _split(stored)
    try:
        key = provider().find(key_id)
    except KeyMissing as error:
        raise DecryptionError(f"{context}: {error}") from error
    nonce, sealed = payload[:NONCE_BYTES], payload[NONCE_BYTES:]
    try:
        return _opened(name, _subkey(key, name), nonce, sealed, context.encode()).decode()
    except (InvalidTag, ValueError):
        raise DecryptionError(
            f"{context}: the stored value does not open with key {key_id}"
        ) from None


def _split(stored: str) -> tuple[str, str, bytes]:
    name, _, rest = stored.partition(":")
    key_id, _, text = rest.partition(":")
    if name not in KEY_BYTES or not key_id:
        raise DecryptionError("the stored value is not in the encrypted form")
    try:
        payload = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise DecryptionError("the stored value is cut or altered") from None
    if len(payload) < NONCE_BYTES + TAG_BYTES:
        raise DecryptionError("the stored value is cut")
    return name, key_id, payload


def _subkey(key: FieldKey, name: str) -> bytes:
    return derived(key.secret, f"field {name}", KEY_BYTES[name])


def _sealed(name: str, key: bytes, nonce: bytes, text: bytes, context: bytes) -> bytes:
    if name == AES:
        return _aes(key).encrypt(nonce, text, context)
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(context)
    return encryptor.update(text) + encryptor.finalize() + encryptor.tag


def _opened(name: str, key: bytes, nonce: bytes, sealed: bytes, context: bytes) -> bytes:
    if name == AES:
        return _aes(key).decrypt(nonce, sealed, context)
    text, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
    decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(context)
    return decryptor.update(text) + decryptor.finalize()


@lru_cache(maxsize=16)
def _aes(key: bytes) -> AESGCM:
    return AESGCM(key)
