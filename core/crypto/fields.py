"""A column that is encrypted at rest and plain in Python."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import FieldError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from core.crypto.ciphers import decrypt, encrypt

_LOOKUPS = frozenset({"isnull"})


class EncryptedField(models.TextField):  # type: ignore[type-arg]
    """Text under authenticated encryption; empty stays empty, so "not known" needs no key.

    It refuses every search except `isnull`: equal values are stored differently, so a comparison
    would quietly find nothing. Search goes through a BlindIndexField beside it.
    """

    is_encrypted: ClassVar[bool] = True

    @property
    def context(self) -> str:
        """What a stored value is tied to: its table and column."""
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way to the database."""
        text = super().get_prep_value(value)
        return encrypt(text, context=self.context) if text else text

    def from_db_value(
        self, value: str | None, expression: object, connection: BaseDatabaseWrapper
    ) -> str | None:
        """Decrypt on the way from it; DecryptionError where that is not possible."""
        return decrypt(value, context=self.context) if value else value

    def get_lookup(self, lookup_name: str) -> Any:
        """Only `isnull` can be answered."""
        if lookup_name not in _LOOKUPS:
            raise FieldError(f"{self.context} is encrypted; search its blind index instead")
        return super().get_lookup(lookup_name)
