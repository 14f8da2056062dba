"""How the HIS numbers what it writes."""

from __future__ import annotations

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def number(prefix: str, at: datetime) -> str:
    """A number of the HIS: sorts by time, and its tail makes two of one second differ."""
    return f"{prefix}{at.astimezone(SHANGHAI):%y%m%d%H%M%S}{secrets.token_hex(3).upper()}"
