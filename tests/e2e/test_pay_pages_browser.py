"""What only a browser can tell: nothing runs off the side, every target is large enough, the strict
policy breaks nothing, a running result looks again by itself, and the pages work without script."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from billing.page_values import PayState
from tests.billing.pay_states import STATES
from tests.e2e.keyboard import RING
from tests.e2e.measures import CUT, FONTS, PALE, SMALL, policy_fault

pytestmark = pytest.mark.browser
SHEETS = ("tokens.css", "elements.css", "portal.css")
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile Safari/604.1"
PAGES = [(token, "") for token in STATES] + [
    ("to_pay", "/pay"),
    ("to_pay", "/window"),
    ("huge", "/pay"),
    ("huge", "/window"),
    ("waiting_qr", "/code"),
    ("waiting_url", "/code"),
    ("waiting_wallet", "/code"),
    ("waiting_alipay", "/code"),
    ("waiting_alipay", "/result"),
    ("paid", "/result"),
    ("part_refunded", "/result"),
    ("not_paid", "/result"),
    ("in_progress", "/result"),
    ("in_progress_long", "/result"),
    ("nowhere", ""),
    ("over", ""),
]
VIEWS = [
    (390, "standard", 44, "zh-CN"),
    (320, "standard", 44, "zh-CN"),
    (390, "elder-1", 60, "zh-CN"),
    (320, "elder-3", 60, "zh-CN"),
    (390, "standard", 44, "en"),
    (320, "elder-3", 60, "en"),
]


@pytest.fixture
def open_page(browser, portal):
    """Open a state as a phone would; every error of the console is kept on the page."""
    contexts = []

    def opened(width=390, mode="standard", agent=PHONE, script=True, locale="zh-CN"):
        context = browser.new_context(
            viewport={"width": width, "height": 780},
            user_agent=agent,
            java_script_enabled=script,
            locale=locale,
        )
        context.add_cookies([{"name": "mode", "value": mode, "url": portal}])
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda line: page.faults.extend(policy_fault(line)))
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_every_page_fits_and_can_be_read_and_hit(open_page, portal, view):
    width, mode, least, locale = view
    page = open_page(width, mode, locale=locale)
    for token, suffix in PAGES:
        page.goto(f"{portal}/p/{token}{suffix}")
        where = f"{token}{suffix} at {width} {mode} {locale}"

        assert page.evaluate("document.documentElement.scrollWidth") == width, where
        assert page.evaluate(CUT) == [], where
        assert page.evaluate(SMALL, least) == [], where
        assert page.evaluate(PALE) == [], where
        assert page.faults == [], where


def test_elder_text_is_never_under_18_px_and_grows_to_30(open_page, portal):
    for mode, body in (("elder-1", 22), ("elder-2", 26), ("elder-3", 30)):
        page = open_page(390, mode)
        for token, suffix in PAGES:
            page.goto(f"{portal}/p/{token}{suffix}")
            assert min(page.evaluate(FONTS)) >= 18
        assert page.evaluate("getComputedStyle(document.body).fontSize") == f"{body}px"


def test_switch_to_elder_mode_and_its_sizes_without_script(open_page, portal):
    page = open_page(script=False)
    page.goto(f"{portal}/p/to_pay")
    page.get_by_role("button", name="长辈版").click()
    assert page.locator("html").get_attribute("data-size") == "1"
    page.get_by_role("button", name="最大").click()
    assert page.locator("html").get_attribute("data-size") == "3"
    page.get_by_role("button", name="标准版").click()
    assert page.locator("html").get_attribute("data-mode") is None


def test_button_names_the_chosen_way(open_page, portal):
    page = open_page()
    page.goto(f"{portal}/p/to_pay/pay")
    button = page.locator(".bar button")
    assert "".join(button.inner_text().split()) == "用微信支付¥86.40"
    page.get_by_text("到窗口付").click()
    assert button.inner_text() == "看窗口在哪里"
    button.click()
    page.wait_for_url("**/p/to_pay/window")


def test_running_result_becomes_paid_by_itself(open_page, portal, monkeypatch):
    page = open_page()
    page.clock.install()
    page.goto(f"{portal}/p/in_progress/result")
    page.clock.run_for(5_200)
    assert page.locator("h1").inner_text() == "处理中"

    paid = replace(STATES["in_progress"], state=PayState.PAID)
    monkeypatch.setitem(STATES, "in_progress", paid)
    page.clock.run_for(5_200)
    page.get_by_role("heading", name="已支付").wait_for()
    assert page.faults == []


def test_code_is_large_black_on_white_and_moves_on(open_page, portal, monkeypatch):
    page = open_page(1280, agent="Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0")
    page.clock.install()
    page.goto(f"{portal}/p/waiting_qr/code")
    box = page.locator(".qr").bounding_box()
    assert box["width"] >= 226 and abs(box["width"] - box["height"]) < 1

    paid = replace(STATES["waiting_qr"], state=PayState.PAID, action=None)
    monkeypatch.setitem(STATES, "waiting_qr", paid)
    page.clock.run_for(5_200)
    page.wait_for_url("**/p/waiting_qr/result")


@pytest.mark.proof("T28")
def test_focus_is_seen_and_the_bar_never_covers_it(open_page, portal):
    page = open_page(320, "elder-3")
    page.goto(f"{portal}/p/many_lines")
    for _ in range(24):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => { const e = document.activeElement, r = e.getBoundingClientRect();
              const bar = document.querySelector('.bar');
              return [e.tagName, bar.contains(e) || e == document.body
                || r.bottom <= bar.getBoundingClientRect().top + 1]; }"""
        )
        assert seen[1], seen
        assert seen[0] == "BODY" or page.evaluate(RING), seen


def test_pages_and_their_files_are_small(open_page, portal):
    sheets = [Path(finders.find(name)).read_bytes() for name in SHEETS]
    assert sum(len(gzip.compress(sheet)) for sheet in sheets) <= 10_240
    page = open_page()
    body = page.goto(f"{portal}/p/to_pay").body()
    script = Path(finders.find("portal.js")).read_bytes()
    assert sum(len(gzip.compress(part)) for part in (*sheets, body, script)) <= 20_000
