"""The vendor's own numbers, in the vendor's shapes, its times and yuan as text."""

from __future__ import annotations

import secrets
from datetime import datetime

from sandbox.world import clock


def trade_number() -> str:
    """28 digits beginning with the day."""
    return f"{clock.now():%Y%m%d}22001{secrets.randbelow(10**15):015d}"


def agreement_number() -> str:
    return f"{clock.now():%Y%m%d}{secrets.randbelow(10**12):012d}"


def order_number() -> str:
    """The number of a transfer."""
    return f"{clock.now():%Y%m%d}110070{secrets.randbelow(10**18):018d}"


def user_number() -> str:
    return f"2088{secrets.randbelow(10**12):012d}"


def notify_number() -> str:
    return f"{clock.now():%Y%m%d}00222{secrets.randbelow(10**21):021d}"


def code_number() -> str:
    """A payment code: 18 digits, the first two from 25 to 30."""
    return f"{25 + secrets.randbelow(6)}{secrets.randbelow(10**16):016d}"


def token() -> str:
    return f"bax0{secrets.token_urlsafe(20)}"


def moment(at: datetime | None) -> str:
    """yyyy-MM-dd HH:mm:ss in Beijing."""
    return "" if at is None else f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"


def yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
