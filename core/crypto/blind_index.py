"""Finding an encrypted value by equality: a keyed hash of its normal form in its own column."""

from __future__ import annotations

import unicodedata
from typing import Any

from cryptography.hazmat.primitives import hashes, hmac
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from core.crypto.ciphers import SM4
from core.crypto.keys import derived, provider

HEX_LENGTH = 64
TAIL_LEFT_OUT = 2  # at least so much of a value is not in its tail


def normalised(value: str) -> str:
    """One form per value: half-width, no white space, capitals (the X of an ID number)."""
    return "".join(unicodedata.normalize("NFKC", value).split()).upper()


def blind_index(value: str, *, purpose: str) -> str:
    """HMAC-SHA256 (HMAC-SM3 with the SM4 cipher) as hex; each purpose has a key of its own.

    The purpose keeps an ID number and a card number with equal digits from looking equal.
    """
    key = derived(provider().index_secret(), f"index {purpose}", 32)
    sm = getattr(settings, "FIELD_CIPHER", "") == SM4
    mac = hmac.HMAC(key, hashes.SM3() if sm else hashes.SHA256())
    mac.update(normalised(value).encode())
    return mac.finalize().hex()


class BlindIndexField(models.CharField):  # type: ignore[type-arg]
    """The blind index of another field of the row, filled in when the row is saved.

    `save(update_fields=[source])` must name this field too. NULL where the source is empty, so that
    a unique index admits many rows without a value. With `tail` it finds by so many characters at
    the end alone; a value that is hardly longer has none, for its tail would be the value.
    """

    def __init__(
        self, *args: Any, source: str = "", purpose: str = "", tail: int = 0, **kwargs: Any
    ) -> None:
        kwargs.setdefault("max_length", HEX_LENGTH)
        kwargs.setdefault("null", True)
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)
        self.source = source
        self.purpose = purpose or source
        self.tail = tail

    def deconstruct(self) -> Any:
        """Source and purpose are part of the column's meaning, so migrations carry them."""
        name, _path, args, kwargs = super().deconstruct()
        kwargs |= {"source": self.source, "purpose": self.purpose}
        if self.tail:
            kwargs["tail"] = self.tail
        # The module's name is also the function's, so a migration imports it from the package.
        return name, "core.crypto.BlindIndexField", args, kwargs

    def index_of(self, value: str | None) -> str | None:
        """What this column holds for a plaintext."""
        plain = normalised(value or "")
        if not plain or (self.tail and len(plain) < self.tail + TAIL_LEFT_OUT):
            return None
        return blind_index(plain[-self.tail :], purpose=self.purpose)

    def pre_save(self, model_instance: models.Model, add: bool) -> str | None:
        """Derive from the source, whatever was assigned here."""
        if not self.source:
            raise FieldDoesNotExist(f"{self.model._meta.label}.{self.name} names no source")
        index = self.index_of(getattr(model_instance, self.source))
        setattr(model_instance, self.attname, index)
        return index
