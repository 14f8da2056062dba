"""The judge judges: what is wrong on purpose is found, what is right is not."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.e2e.axe import axe_faults

pytestmark = pytest.mark.browser
PAGE = '<!doctype html><html lang="zh-Hans"><title>t</title><main><h1>账单</h1>{}</main></html>'


def test_what_is_wrong_is_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(PAGE.format("<p>合计</p>"))
    assert axe_faults(page) == []
    page.set_content(PAGE.format('<img src="x.png"><input><p style="color:#bbb">合计</p>'))
    found = " ".join(axe_faults(page))
    assert all(rule in found for rule in ("image-alt", "label", "color-contrast")), found
    page.close()
