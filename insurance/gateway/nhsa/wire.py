"""How our values are written for the platform: yuan, plain decimals, its forms of time and flag."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core import clock
from core.money import yuan_text
from insurance.gateway.visit_values import Credential

# Field lengths of the specification; a number that would be cut is refused, never shortened.
_TOO_LONG = "{name} has {length} characters, the platform takes {limit}"


def yuan(fen: int) -> str:
    """Two decimals, always."""
    return yuan_text(fen)


def plain(value: Decimal, places: int) -> str:
    """A quantity or price without exponent; more places than the field has are refused."""
    exponent = value.normalize().as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -places:
        raise ValueError(f"{value} has more than {places} decimals")
    return format(value, "f")


def moment(at: datetime) -> str:
    """Beijing time, without a zone."""
    return f"{at.astimezone(clock.ZONE):%Y-%m-%d %H:%M:%S}"


def flag(value: bool) -> str:
    """0 or 1."""
    return "1" if value else "0"


def fitting(name: str, value: str, limit: int) -> str:
    """A number of ours that the platform can hold whole."""
    if len(value) > limit:
        raise ValueError(_TOO_LONG.format(name=name, length=len(value), limit=limit))
    return value


def proof(credential: Credential) -> dict[str, object]:
    """The credential's two fields, as every call of a visit repeats them."""
    return {"mdtrt_cert_type": credential.kind.value, "mdtrt_cert_no": credential.number}
