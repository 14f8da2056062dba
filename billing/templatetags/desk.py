"""How the window prints figures that are not money: quantities without an exponent."""

from __future__ import annotations

from decimal import Decimal

from django import template

register = template.Library()


@register.filter
def plain(number: Decimal | None) -> str:
    """10, 0.5: as people write it, with no trailing zeros."""
    return "" if number is None else format(number.normalize(), "f")


@register.filter
def credit(fen: int) -> int:
    """The size of a credit, which is stored negative."""
    return abs(fen)
