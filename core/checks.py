"""What must hold before the portal may serve: refused at start, not discovered at night."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from core import clock
from core.crypto import KeyMissing, decrypt, encrypt
from core.crypto.keys import provider
from core.failpoints import armed_variables

SECRET_LENGTH_MIN = 32


@register()
def production_is_sealed(**_options: Any) -> list[CheckMessage]:
    """Production has its secret, a clock that tells the truth, and no way to be shot."""
    if not settings.PRODUCTION:
        return []
    errors: list[CheckMessage] = []
    if len(settings.SECRET_KEY) < SECRET_LENGTH_MIN:
        errors.append(Error("PORTAL_SECRET_KEY needs 32 characters or more", id="core.E001"))
    if settings.DEBUG:
        errors.append(Error("DEBUG shows personal data to strangers", id="core.E002"))
    errors.extend(
        Error(f"{name} kills processes; unset it", id="core.E003") for name in armed_variables()
    )
    if clock.movable():
        errors.append(Error("CLOCK_MOVABLE must be off", id="core.E004"))
    return errors


@register()
def field_keys_work(**_options: Any) -> list[CheckMessage]:
    """Field and index keys exist and fit the cipher; found here, not at the first patient."""
    try:
        provider.cache_clear()
        provider().index_secret()
        decrypt(encrypt("probe", context="check"), context="check")
    except (KeyMissing, OSError, ImportError) as error:
        return [
            Error(
                f"field encryption is not usable: {error}",
                hint="Set PORTAL_FIELD_KEYS (or _FILE) and PORTAL_INDEX_KEY.",
                id="core.E005",
            )
        ]
    return []
