"""The content of a visit code (就诊码): a person and a minute, under a keyed hash.

It is short, so that an old scanner reads it from a dim screen, and has only signs that a scanner in
keyboard mode types the same on every layout. It says nothing to whoever has no key, and is worth
nothing after its end.
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta

from core import clock
from core.crypto import blind_index

LIFETIME = timedelta(seconds=60)
# Between the last second on the screen and the end of the scan.
GRACE = timedelta(seconds=15)
PREFIX = "HC1"
LENGTH = len(PREFIX) + 32
_PURPOSE = "visit code"
_ID_BYTES, _TIME_BYTES, _MAC_BYTES = 6, 5, 9


def card_code_new(patient_id: int) -> str:
    """A code for this person that ends with `LIFETIME`."""
    ends = int((clock.now() + LIFETIME).timestamp())
    told = patient_id.to_bytes(_ID_BYTES) + ends.to_bytes(_TIME_BYTES)
    return PREFIX + base64.b32encode(told + _mac(told)).decode()


def card_code_read(text: str) -> int | None:
    """The person's id; None for what is no code of ours, was altered, or is over."""
    told = _told(text)
    return told[0] if told is not None and clock.now() < told[1] + GRACE else None


def card_code_over(text: str) -> bool:
    """Whether this was a code of ours and has ended: whoever scanned it needs the next one."""
    told = _told(text)
    return told is not None and clock.now() >= told[1] + GRACE


def _told(text: str) -> tuple[int, datetime] | None:
    """What a code says, its person and its end; None for what is no code of ours."""
    text = text.strip().upper()
    if len(text) != LENGTH or not text.startswith(PREFIX):
        return None
    try:
        raw = base64.b32decode(text.removeprefix(PREFIX))
    except ValueError:
        return None
    told, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
    if not hmac.compare_digest(mac, _mac(told)):
        return None
    ends = datetime.fromtimestamp(int.from_bytes(told[_ID_BYTES:]), UTC)
    return int.from_bytes(told[:_ID_BYTES]), ends


def _mac(told: bytes) -> bytes:
    return bytes.fromhex(blind_index(told.hex(), purpose=_PURPOSE))[:_MAC_BYTES]
