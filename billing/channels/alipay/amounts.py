"""Yuan decimals of the channel and fen of the house, each converted here and nowhere else."""

from __future__ import annotations

from billing.channels.strict_json import JsonObject
from core.money import MoneyError, fen_from_yuan, yuan_text

__all__ = ["AmountRefused", "fen_get", "fen_read", "yuan_text"]


class AmountRefused(ValueError):
    """Not an exact amount: a third decimal, an exponent, a sign, a number instead of a text."""


def fen_read(text: object) -> int:
    """Yuan as a decimal text, at most two places, not negative."""
    if not isinstance(text, str) or text.startswith("-"):
        raise AmountRefused("an amount is a decimal text, not negative")
    try:
        return fen_from_yuan(text)
    except MoneyError as error:
        raise AmountRefused("an amount in yuan has at most two decimals") from error


def fen_get(data: JsonObject, name: str) -> int | None:
    """The amount under a name, none where it is absent or empty; raises AmountRefused."""
    value = data.get(name)
    return None if value in (None, "") else fen_read(value)
