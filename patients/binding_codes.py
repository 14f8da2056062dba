"""The code of a wish: six digits, kept as a keyed hash that fits one wish and one sending."""

from __future__ import annotations

import hmac
import secrets

from core.crypto import blind_index
from patients.models import Binding

DIGITS = 6
_PURPOSE = "binding code"


def code_new() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def code_hash(binding_id: int, code: str) -> str:
    return blind_index(f"{binding_id}/{code}", purpose=_PURPOSE)


def code_fits(row: Binding, code: str) -> bool:
    """Compared in constant time, and for a wish without a code as long as for one with it."""
    expected = row.code_hash or "-" * 64
    return hmac.compare_digest(code_hash(row.pk, code).encode(), expected.encode())
