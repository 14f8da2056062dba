"""A mobile number as people type it, in one form."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext_lazy as _

from core.errors import BadInput

TYPED_LENGTH_MAX = 40
_MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
_FILLING = re.compile(r"[\s\-‐-―()（）.·]+")


def phone_from(typed: str, field: str = "phone") -> str:
    """Eleven digits; spaces, hyphens, full-width digits and +86 are forgiven, nothing else."""
    text = _FILLING.sub("", unicodedata.normalize("NFKC", typed[:TYPED_LENGTH_MAX]))
    text = re.sub(r"^(\+|00)86", "", text)
    if not _MOBILE.fullmatch(text):
        raise BadInput(
            "phone", _("This is not a mobile number. It has 11 digits and begins with 1."), field
        )
    return text


def code_from(typed: str) -> str:
    """The digits of a code as somebody typed or pasted it."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", typed[:TYPED_LENGTH_MAX]))
