"""Where the keys come from. The first field key encrypts, all of them decrypt.

The provider named by FIELD_KEY_PROVIDER can be replaced by the hospital's key server; the one here
reads FIELD_KEYS from the settings, or `PORTAL_FIELD_KEYS` ("id:base64,id:base64", newest first), or
the file `PORTAL_FIELD_KEYS_FILE` with one pair a line. The blind index has a key of its own,
`PORTAL_INDEX_KEY`, because replacing it means rebuilding every index. Outside production missing
keys are derived from SECRET_KEY, so that a fresh clone runs.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.module_loading import import_string

SECRET_LENGTH = 32
_KEY_ID = re.compile("[0-9A-Za-z]{1,16}")


class KeyMissing(Exception):
    """No such key here, or none that can be used."""


@dataclass(frozen=True, slots=True)
class FieldKey:
    """One key by its id; the id is stored with every value, the secret nowhere."""

    key_id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _KEY_ID.fullmatch(self.key_id):
            raise KeyMissing("a key id has 1 to 16 letters and digits")
        if len(self.secret) != SECRET_LENGTH:
            raise KeyMissing(f"key {self.key_id} must have {SECRET_LENGTH} bytes")


class KeyProvider(Protocol):
    """What the ciphers ask of a key store."""

    def active(self) -> FieldKey: ...
    def find(self, key_id: str) -> FieldKey: ...
    def index_secret(self) -> bytes: ...


class SettingsKeyProvider:
    """Keys from settings, environment or file, read once."""

    def __init__(self) -> None:
        given = getattr(settings, "FIELD_KEYS", None)
        keys = _from_mapping(given) if given else _from_environment()
        if not keys and not settings.PRODUCTION:
            keys = [FieldKey("demo1", derived(settings.SECRET_KEY.encode(), "demo field key", 32))]
        self._keys = {key.key_id: key for key in keys}
        if len(self._keys) != len(keys):
            raise KeyMissing("two field keys have the same id")
        self._active = keys[0] if keys else None

    def active(self) -> FieldKey:
        """The key new values are encrypted with."""
        if self._active is None:
            raise KeyMissing("no field key is configured")
        return self._active

    def find(self, key_id: str) -> FieldKey:
        """The key a stored value names."""
        try:
            return self._keys[key_id]
        except KeyError:
            raise KeyMissing(f"field key {key_id!r} is not configured") from None

    def index_secret(self) -> bytes:
        """The key of the blind indexes."""
        given = getattr(settings, "BLIND_INDEX_KEY", "") or os.environ.get("PORTAL_INDEX_KEY", "")
        if given:
            return FieldKey("index", _secret(given)).secret
        if settings.PRODUCTION:
            raise KeyMissing("PORTAL_INDEX_KEY is not set")
        return derived(settings.SECRET_KEY.encode(), "demo index key", 32)


@lru_cache(maxsize=1)
def provider() -> KeyProvider:
    """The configured key store, built once; `provider.cache_clear()` reads the settings again."""
    path = getattr(settings, "FIELD_KEY_PROVIDER", "core.crypto.keys.SettingsKeyProvider")
    made: KeyProvider = import_string(path)()
    return made


@lru_cache(maxsize=64)
def derived(secret: bytes, purpose: str, length: int) -> bytes:
    """A key for one purpose only, so that two algorithms never share one."""
    kdf = HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=purpose.encode())
    return kdf.derive(secret)


def _from_mapping(given: Mapping[str, str | bytes]) -> list[FieldKey]:
    return [FieldKey(key_id, _secret(secret)) for key_id, secret in given.items()]


def _from_environment() -> list[FieldKey]:
    text = os.environ.get("PORTAL_FIELD_KEYS", "")
    path = os.environ.get("PORTAL_FIELD_KEYS_FILE", "")
    if not text and path:
        text = Path(path).read_text(encoding="ascii").replace("\n", ",")
    pairs = [pair.strip() for pair in text.split(",") if pair.strip()]
    return [
        FieldKey(key_id, _secret(secret)) for key_id, _, secret in (p.partition(":") for p in pairs)
    ]


def _secret(given: str | bytes) -> bytes:
    if isinstance(given, bytes):
        return given
    try:
        return base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        # The text itself is a secret, so it is not repeated here.
        raise KeyMissing("a key is not valid base64") from None
