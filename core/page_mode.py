"""Elder and standard mode (长辈版、标准版): one cookie, read by every page, set by the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COOKIE = "mode"
COOKIE_AGE_S = 365 * 24 * 3600
SIZES = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class PageMode:
    """`size` 1–3 counts in elder mode only."""

    elder: bool = False
    size: int = 1

    @property
    def text(self) -> str:
        return f"elder-{self.size}" if self.elder else "standard"

    @property
    def sizes(self) -> tuple[int, ...]:
        return SIZES


STANDARD = PageMode()
MODES = {mode.text: mode for mode in (STANDARD, *(PageMode(True, size) for size in SIZES))}


def page_mode(cookies: Mapping[str, str]) -> PageMode:
    """Read the mode; a cookie nobody of us wrote means standard."""
    return MODES.get(cookies.get(COOKIE, ""), STANDARD)
