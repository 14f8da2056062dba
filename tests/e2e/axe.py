"""What axe-core says of a page: WCAG 2.2 A and AA, and the practices it knows beyond them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

GRAVE = ("serious", "critical")
RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"


@cache
def script() -> str:
    """The whole of axe-core, as the locked package ships it."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf8")


def axe_faults(page: Page, impacts: tuple[str, ...] = GRAVE) -> list[str]:
    """Each violation of these impacts with the places it was found at."""
    page.evaluate(script())
    found: list[dict[str, Any]] = page.evaluate(RUN)
    return [
        f"{one['impact']} {one['id']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in impacts
        for node in one["nodes"]
    ]
