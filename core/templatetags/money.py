"""`{{ amount_fen|yuan }}`: the digits of `elements/money.html`, which alone prints money."""

from django import template

from core.money import grouped_yuan

register = template.Library()


@register.filter
def yuan(fen: int | None) -> str:
    """1,086.40; nothing for an amount that is not known yet."""
    return "" if fen is None else grouped_yuan(fen)
