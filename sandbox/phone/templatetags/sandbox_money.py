"""Amounts as the phone writes them."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def yuan(fen: int | None) -> SafeString:
    """¥1,086.40 without a break inside; what is not known is a dash."""
    if not isinstance(fen, int):
        return format_html('<span class="money">—</span>')
    whole, cents = divmod(abs(fen), 100)
    sign = "−" if fen < 0 else ""
    return format_html(
        '<span class="money">{}<span class="yen">¥</span>{}.{}</span>',
        sign,
        f"{whole:,}",
        f"{cents:02d}",
    )
