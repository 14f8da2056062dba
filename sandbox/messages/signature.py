"""The SMS gateway's signature: hex(HMAC-SHA256(secret, timestamp + "\\n" + body))."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

TOLERANCE_S = 300


def sign(*, secret: str, timestamp: str, body: bytes) -> str:
    text = timestamp.encode() + b"\n" + body
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def matches(*, secret: str, timestamp: str, body: bytes, signature: str) -> bool:
    expected = sign(secret=secret, timestamp=timestamp, body=body)
    return hmac.compare_digest(expected.encode(), signature.encode())


def fresh(*, timestamp: str, now: datetime) -> bool:
    """Unix seconds, at most five minutes off."""
    if not (timestamp.isascii() and timestamp.isdecimal()):
        return False
    return abs(float(timestamp) - now.timestamp()) <= TOLERANCE_S
