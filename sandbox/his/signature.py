"""The signature of the portal's events: v1=hex(HMAC-SHA256(secret, timestamp + "." + body))."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

TOLERANCE_S = 300
VERSION = "v1"


class BadSignature(Exception):
    """The message cannot be shown to come from the portal; the text says what is wrong."""


def sign(*, secret: str, timestamp: str, body: bytes) -> str:
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"{VERSION}={digest.hexdigest()}"


def verify(*, secret: str, timestamp: str, signature: str, body: bytes, now: datetime) -> None:
    """Raises BadSignature unless the message is fresh and signed with this secret.

    The header may carry several signatures, separated by commas, so that a secret can be changed
    without losing a message.
    """
    if not timestamp or not signature:
        raise BadSignature("Portal-Timestamp or Portal-Signature is missing")
    if abs(_seconds(timestamp) - now.timestamp()) > TOLERANCE_S:
        raise BadSignature("Portal-Timestamp is more than 5 minutes off")
    expected = sign(secret=secret, timestamp=timestamp, body=body).encode()
    offered = [part.strip().encode() for part in signature.split(",")]
    if not any(hmac.compare_digest(expected, one) for one in offered):
        raise BadSignature("Portal-Signature does not match")


def _seconds(timestamp: str) -> float:
    """Unix seconds, the form the portal sends, or RFC 3339 with an offset."""
    if timestamp.isascii() and timestamp.isdigit():
        return float(timestamp)
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError as error:
        raise BadSignature("Portal-Timestamp is neither Unix seconds nor RFC 3339") from error
    if at.tzinfo is None:
        raise BadSignature("Portal-Timestamp has no offset")
    return at.timestamp()
