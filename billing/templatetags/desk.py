"""How the window prints figures that are not money: quantities without an exponent."""

from __future__ import annotations

from decimal import Decimal

from django import template

from core.admin_values import word_of

register = template.Library()


@register.filter
def plain(number: Decimal | None) -> str:
    """10, 0.5: as people write it, with no trailing zeros."""
    return "" if number is None else format(number.normalize(), "f")


@register.filter
def unit_yuan(price: Decimal | None) -> str:
    """A unit price has up to six places; at least the two of a sum are shown."""
    if price is None:
        return ""
    places = max(2, -int(price.normalize().as_tuple().exponent))
    return f"¥{price:,.{places}f}"


@register.filter
def word(code: str, field: str) -> str:
    """The word of a code, as the lists of the admin say it."""
    return str(word_of(field, code))


@register.filter
def credit(fen: int) -> int:
    """The size of a credit, which is stored negative."""
    return abs(fen)
