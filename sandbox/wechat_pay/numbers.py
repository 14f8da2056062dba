"""The vendor's own numbers, in the vendor's shapes, and its times as text."""

from __future__ import annotations

import secrets
from datetime import datetime

from sandbox.world import clock


def transaction_number() -> str:
    """28 digits beginning with 42, the day in the middle."""
    return f"4200{clock.now():%Y%m%d%H%M%S}{secrets.randbelow(10**10):010d}"


def refund_number() -> str:
    return f"5030{clock.now():%Y%m%d%H%M%S}{secrets.randbelow(10**10):010d}"


def contract_number() -> str:
    return f"{clock.now():%Y%m%d}{secrets.randbelow(10**10):010d}"


def token() -> str:
    """A link's secret; it begins with a digit, so that `wx` before it is always the prepay's."""
    return f"0{secrets.token_urlsafe(23)}"


def code_number() -> str:
    """A payment code: 18 digits, the first two from 10 to 15."""
    return f"1{secrets.randbelow(6)}{secrets.randbelow(10**16):016d}"


def stamp(at: datetime | None) -> str:
    """Time of v2 orders: yyyyMMddHHmmss in Beijing."""
    return "" if at is None else f"{at.astimezone(clock.SHANGHAI):%Y%m%d%H%M%S}"


def moment(at: datetime | None) -> str:
    """Time of v2 contracts: yyyy-MM-dd HH:mm:ss in Beijing."""
    return "" if at is None else f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"


def rfc3339(at: datetime | None) -> str:
    """Time of v3: seconds, with the zone +08:00."""
    return "" if at is None else at.astimezone(clock.SHANGHAI).isoformat(timespec="seconds")
