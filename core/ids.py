"""Business numbers: what counterparties know our intents by.

A number is committed before the first call and kept for the life of its intent. It needs no
sequence, so no two writers wait for each other; two hosts never meet because the tail is random.
"""

from __future__ import annotations

import secrets

from core import clock

LENGTH_MAX = 32
# Digits and capitals without I, L, O, U: a clerk reads it over the phone without a mistake.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TAIL_LENGTH = 11  # 55 bits: a collision within one millisecond is out of reach


def business_number(prefix: str) -> str:
    """A new number: two letters, local time to the millisecond, random tail; 30 characters."""
    if len(prefix) != 2 or not (prefix.isascii() and prefix.isalpha()):  # noqa: PLR2004
        raise ValueError("a business number starts with two ASCII letters")
    at = clock.now()
    bits = secrets.randbits(5 * _TAIL_LENGTH)
    tail = "".join(_ALPHABET[bits >> (5 * i) & 31] for i in range(_TAIL_LENGTH))
    return f"{prefix}{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}{tail}"
