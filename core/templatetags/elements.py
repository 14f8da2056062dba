"""The elements of every page. A page is made of these; money is printed only by `money`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.money import MINUS, grouped_yuan
from core.page_mode import PageMode, page_mode
from core.qr import qr_path

register = template.Library()

# The fixed list of states a patient or a clerk may read: tone, icon, word. Nothing else is a badge.
BADGES = {
    "to_pay": ("wait", "clock", _("to pay")),
    "in_progress": ("wait", "hourglass", _("in progress")),
    "paid": ("ok", "check", _("paid")),
    "not_paid": ("none", "minus", _("not paid")),
    "refunding": ("info", "return", _("refunding")),
    "refunded": ("ok", "check", _("refunded")),
    "part_refunded": ("info", "return", _("part refunded")),
    "overdue": ("bad", "warning", _("overdue")),
    "not_due": ("none", "clock", _("not due")),
    "paused": ("none", "pause", _("paused")),
    "closed": ("none", "minus", pgettext_lazy("bill", "closed")),
}
TIMES = re.compile(r"(\d{1,2}:\d{2}(?:[–-]\d{1,2}:\d{2})?|(?:[可付多达于]{1,2} )?¥[\d,]+\.\d{2})")
PHRASES = re.compile(r"(?<=[，。；、：])")
KEEP = '<span class="keep">{}</span>'
PHRASE = '<span class="phrase">{}</span>'
BAR_WIDTH = 1000
BAR_GAP = 6
BAR_LEAST = 10
FITS = (6, 8, 10, 12)


class Part(Protocol):
    """One exclusive part of a bill, named by its key."""

    @property
    def key(self) -> str: ...
    @property
    def fen(self) -> int: ...


@dataclass(frozen=True, slots=True)
class BarRect:
    key: str
    x: int
    width: int


@register.simple_tag(takes_context=True, name="page_mode")
def page_mode_tag(context: dict[str, Any]) -> PageMode:
    """How large this reader wants the page; kept in a cookie, decided by the server."""
    return page_mode(context["request"].COOKIES)


@register.filter
def unbroken(text: str) -> SafeString:
    """Break lines after punctuation where there is room, and never inside 7:30–17:00 or a sum."""
    phrases = [one for one in PHRASES.split(str(text)) if one]
    if len(phrases) == 1:
        return _times_kept(phrases[0])
    return format_html_join("", PHRASE, ((_times_kept(one),) for one in phrases))


def _times_kept(text: str) -> SafeString:
    pieces = enumerate(TIMES.split(text))  # the odd pieces are the times and sums
    return format_html_join(
        "", "{}", ((format_html(KEEP, piece) if n % 2 else piece,) for n, piece in pieces)
    )


@register.simple_tag
def icon(name: str, style: str = "") -> SafeString:
    """Show an icon of the page's sprite; it is decoration, the word beside it says what it is."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="#i-{}"/></svg>', style, name
    )


@register.inclusion_tag("elements/money.html")
def money(fen: int | None, style: str = "", sign: str = "") -> dict[str, object]:
    """Print a sum: `style` strong, hero or plus; `sign` "+" for money coming back."""
    if fen is None:
        return {"digits": "—", "style": style}
    digits = grouped_yuan(abs(fen))
    fit = next((signs for signs in FITS if len(digits) <= signs), 15)
    return {
        "digits": digits,
        "currency": "¥",
        "sign": MINUS if fen < 0 else sign,
        "style": f"hero fit-{fit}" if style == "hero" else style,
    }


@register.inclusion_tag("elements/badge.html")
def badge(state: str) -> dict[str, object]:
    tone, icon_name, word = BADGES[state]
    return {"tone": tone, "icon_name": icon_name, "word": word}


@register.simple_tag
def badge_icon(state: str) -> SafeString:
    """The icon of a state alone, where its word stands beside it."""
    return icon(BADGES[state][1])


@register.simple_tag
def badge_word(state: str) -> str:
    return str(BADGES[state][2])


@register.inclusion_tag("elements/split_bar.html")
def split_bar(parts: Iterable[Part], sentence: str) -> dict[str, object]:
    """Draw the parts of a bill in their order; the list beneath is the truth, this its picture."""
    return {"rects": bar_rects(list(parts)), "sentence": sentence, "width": BAR_WIDTH}


@register.inclusion_tag("elements/code.html")
def code_block(value: str, label: str) -> dict[str, object]:
    """Show a code to be scanned: black on white, quiet zone included."""
    return {"qr": qr_path(value), "label": label}


def bar_rects(parts: list[Part]) -> list[BarRect]:
    """Lay the parts that are not zero side by side: none invisible, the last reaching the end."""
    shown = [part for part in parts if part.fen > 0]
    if not shown:
        return []
    room = BAR_WIDTH - BAR_GAP * (len(shown) - 1)
    free = room - BAR_LEAST * len(shown)
    total = sum(part.fen for part in shown)
    rects: list[BarRect] = []
    x = 0
    for part in shown:
        width = BAR_LEAST + part.fen * free // total
        rects.append(BarRect(part.key, x, width))
        x += width + BAR_GAP
    last = rects[-1]
    rects[-1] = BarRect(last.key, last.x, BAR_WIDTH - last.x)
    return rects
