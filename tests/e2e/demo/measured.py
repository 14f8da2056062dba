"""What is wrong with the page that is open, by the national rules' numbers and by axe-core."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.sync_api import Page

from tests.e2e.axe import axe_faults
from tests.e2e.measures import CUT, FONTS, PALE, SHIFTS, SMALL

BODY = "parseFloat(getComputedStyle(document.body).fontSize)"
# Lines of running text; a button's words and a figure stand alone.
LINES = """() => [...document.querySelectorAll('main p')]
  .filter(e => e.textContent.trim().length > 20)
  .map(e => getComputedStyle(e))
  .map(style => parseFloat(style.lineHeight) / parseFloat(style.fontSize))
  .filter(ratio => ratio < 1.3)"""
# The web's own limit of a good page is 0.1; here nothing has a reason to move at all.
SHIFT_MOST = 0.01


@dataclass(frozen=True)
class View:
    """A screen and a mode; sizes in CSS pixels are the least that are asked for."""

    width: int
    mode: str
    target: int
    text: int
    body: int
    axe: bool = True


STANDARD = View(390, "standard", 44, 13, 17)
ELDER = View(390, "elder-1", 60, 18, 22)
ELDER_NARROW = View(320, "elder-3", 60, 18, 30, axe=False)
DESK = View(1280, "standard", 44, 13, 17)


def faults_of(page: Page, view: View) -> list[str]:
    wide, body = page.evaluate("document.documentElement.scrollWidth"), page.evaluate(BODY)
    shifts = page.evaluate(SHIFTS)
    measured = {
        "shift": shifts if sum(value for value, _moved in shifts) > SHIFT_MOST else [],
        "sideways": [wide] if wide != view.width else [],
        "cut": page.evaluate(CUT),
        "target": page.evaluate(SMALL, view.target),
        "pale": page.evaluate(PALE),
        "letters": [size for size in page.evaluate(FONTS) if size < view.text],
        "body": [body] if body < view.body else [],
        "lines": page.evaluate(LINES),
        "axe": axe_faults(page) if view.axe else [],
    }
    where = f"at {view.width} {view.mode}"
    return [f"{what} {where}: {one}" for what, many in measured.items() for one in many]
