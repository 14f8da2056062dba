"""Somebody without a mouse: Tab to what is wanted, see where one is, press Enter."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

TABS_MAX = 60
IS_FOCUS = "e => e === document.activeElement"
# A choice shows the focus of its hidden-looking dot around the whole card.
RING = """() => { const e = document.activeElement;
  return [e, e.closest('label')].filter(Boolean).map(x => getComputedStyle(x))
    .some(s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2); }"""
ON_SCREEN = """() => { const r = document.activeElement.getBoundingClientRect();
  return r.bottom > 0 && r.top < innerHeight; }"""


def tab_to(page: Page, wanted: Locator) -> None:
    """Go there by Tab alone; every stop on the way is seen and has a ring."""
    wanted.wait_for()  # on the page that the press before this one leads to
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        stop = page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        if not stop.startswith("<body"):  # past the last stop the browser's own bar has the focus
            assert page.evaluate(RING), f"no ring around {stop}"
            assert page.evaluate(ON_SCREEN), f"out of sight: {stop}"
        if wanted.evaluate(IS_FOCUS):
            return
    raise AssertionError(f"no Tab leads to {wanted}")


def enter(page: Page, wanted: Locator) -> None:
    """Tab to a link or a button and press it."""
    tab_to(page, wanted)
    page.keyboard.press("Enter")


def typed(page: Page, label: str, value: str) -> None:
    """Tab to a box and write into it."""
    tab_to(page, page.get_by_label(label, exact=True))
    page.keyboard.type(value)
