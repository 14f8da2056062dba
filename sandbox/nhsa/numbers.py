"""The platform's own numbers and how it writes money, ratios and times."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from decimal import Decimal

from sandbox.world import clock


def _digits(count: int) -> str:
    return f"{secrets.randbelow(10**count):0{count}d}"


def visit_number() -> str:
    return f"M{clock.now():%y%m%d%H%M%S}{_digits(12)}"


def settlement_number() -> str:
    return f"S{clock.now():%y%m%d%H%M%S}{_digits(14)}"


def sign_number() -> str:
    return f"{clock.now():%Y%m%d%H%M%S}{_digits(10)}"


def filing_number() -> str:
    return f"B{clock.now():%y%m%d%H%M%S}{_digits(12)}"


def file_number() -> str:
    return f"fsi/{clock.now():%Y%m%d}/{secrets.token_hex(12)}"


def order_number() -> str:
    return f"ORD330000{clock.now():%Y%m%d%H%M%S}{_digits(10)}"


def person_number(region: str, certno: str) -> str:
    """Region and the certificate's tail: made up, and the same in every world."""
    return f"{region}{certno[-12:]}".upper().ljust(18, "0")


def code_number() -> str:
    """The shown insurance code: 28 digits beginning with 01, so that no wallet's code looks it."""
    return f"01{_digits(26)}"


def token_number() -> str:
    """An ecToken: 40 characters."""
    return secrets.token_hex(20)


def auth_number(prefix: str) -> str:
    return f"{prefix}{clock.now():%Y%m%d%H%M%S}{secrets.token_hex(8)}"


def yuan(fen: int) -> float:
    """A JSON number of yuan; two decimals survive a double to far beyond any bill."""
    return float(Decimal(fen) / 100)


def yuan_text(fen: int) -> str:
    """Yuan as text with two decimals, as the mobile pay centre writes every scalar."""
    return f"{Decimal(fen) / 100:.2f}"


def number(value: Decimal) -> float:
    return float(value)


def moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(clock.SHANGHAI):%Y-%m-%d %H:%M:%S}"


def day(at: date | datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d}"


def stamp(at: datetime) -> str:
    """yyyyMMddHHmmssSSS of the envelope."""
    local = at.astimezone(clock.SHANGHAI)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"
