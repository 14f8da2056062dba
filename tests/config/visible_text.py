"""What a page says to its reader: text and spoken attributes, without what a machine wrote."""

from __future__ import annotations

import re
from html.parser import HTMLParser

SPOKEN = ("title", "placeholder", "aria-label", "alt", "data-wait")
# Names, marks and abbreviations that Chinese texts use as they are.
ALLOWED = frozenset(
    {"WeChat", "HIS", "HTTP", "HTTPS", "IP", "SHA", "JSON", "POST", "GET", "Enter", "esc", "NFC"}
)
_SILENT = frozenset({"script", "style", "svg", "template", "code", "noscript"})
_EMPTY = frozenset({"input", "br", "img", "meta", "link", "hr", "source", "wbr", "col"})
_WORD = re.compile(r"[A-Za-z][A-Za-z'’]+")
# A number of ours or of a counterparty: letters that stand together with a figure.
_NUMBER = re.compile(r"[0-9A-Za-z_/.:*\-]*[0-9][0-9A-Za-z_/.:*\-]*")


class _Reader(HTMLParser):
    """Collects pieces of text. `code` is skipped: there stands what a machine wrote, as it wrote
    it, and the theme's icon font, whose glyphs are spelled as words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if not self._silent:
            self.pieces += [values[name] or "" for name in SPOKEN if values.get(name)]
            if tag == "input" and values.get("type") in ("submit", "button"):
                self.pieces.append(values.get("value") or "")
        if tag in _EMPTY:
            return
        icon = "material-symbols-outlined" in (values.get("class") or "")
        if self._silent or icon or tag in _SILENT:
            self._silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._silent and tag in self._silent:
            while self._silent.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)


def pieces(html: str) -> list[str]:
    """Every piece of text of a page that a person sees or hears."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return [text for piece in reader.pieces if (text := " ".join(piece.split()))]


def english(html: str) -> list[str]:
    """The pieces that hold a word nobody translated."""
    return [
        piece for piece in pieces(html) if set(_WORD.findall(_NUMBER.sub(" ", piece))) - ALLOWED
    ]
