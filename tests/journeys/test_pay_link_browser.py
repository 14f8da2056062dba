"""The pay link in a real browser against the running demo: every page up to the result."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.conftest import ARGS
from tests.fixtures.demo_process import OPENID, Bill, Demo
from tests.journeys.payer import PHONE

pytestmark = pytest.mark.browser
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36"
# Where the README's pictures go; asked for by name, so that a run of tests changes no file.
PICTURES = os.environ.get("PICTURES_TO", "")
PAYER = "P0014"
Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield running
        running.close()


@pytest.fixture
def opened(chrome: Browser) -> Iterator[Opened]:
    """Open a link on a phone or a desktop; nothing may fail in its console."""
    contexts, faults = [], []

    def of(link: str, *, width: int = 390, agent: str = PHONE) -> Page:
        context = chrome.new_context(
            viewport={"width": width, "height": 844},
            user_agent=agent,
            locale="zh-CN",
            device_scale_factor=2 if PICTURES else 1,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.goto(link)
        return page

    yield of
    for context in contexts:
        context.close()
    assert faults == []


def picture(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png")


def offered(demo: Demo, *amounts: int, mrn: str = PAYER) -> tuple[Bill, str]:
    """A bill of somebody without an agreement, waiting on the phone, and its link."""
    demo.act("payer", "set_balance", OPENID.format(mrn=mrn), balance_fen=10_000_00)
    bill = demo.bill(mrn, *amounts)
    answer = demo.collect(bill.number)
    assert answer["result"] == "action_required"
    return bill, answer["action"]["value"]


def to_wechat(page: Page) -> None:
    """From the bill to the vendor's page."""
    page.get_by_role("link", name=re.compile("去支付|支付")).last.click()
    page.locator("input[value^='wechat_pay.']").check()
    page.locator(".bar button").click()


def head(page: Page) -> str:
    return "".join(page.locator("h1").inner_text().split())


def confirm(page: Page) -> None:
    page.locator("select[name=openid]").select_option(OPENID.format(mrn=PAYER))
    page.locator("button[value=yes]").click()
    page.get_by_role("link", name="返回商家").click()


def test_phone_pays_and_back_shows_the_result(demo: Demo, opened: Opened) -> None:
    # Given a bill of ¥86.40 on the phone
    bill, link = offered(demo, 80_00, 6_40)
    page = opened(link)
    assert "86.40" in page.locator("main").inner_text()
    picture(page, "pay-bill")
    # When the payer goes to WeChat and types the password there
    to_wechat(page)
    page.wait_for_url(f"{demo.sandbox}/phone/**")
    assert "86.40" in page.locator(".hero").inner_text()
    confirm(page)
    # Then the page they come back to says so, by itself if need be
    page.get_by_role("heading", name="已支付").wait_for()
    assert "86.40" in page.locator("main").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    picture(page, "pay-result")
    assert demo.invoice(bill.number)["status"] == "PAID"
    # And no way back leads to a button that pays again
    for _step in range(4):
        page.go_back()
        if page.url.startswith(demo.portal):
            page.reload()
            assert page.locator("form#way").count() == 0, page.url
    page.goto(f"{link}/pay")
    assert head(page) == "已支付"
    demo.books_agree()


def test_desktop_scans_a_code_and_turns_paid_by_itself(demo: Demo, opened: Opened) -> None:
    # Given a bill opened at a desk
    bill, link = offered(demo, 123_45)
    page = opened(link, width=1280, agent=DESKTOP)
    to_wechat(page)
    page.wait_for_url("**/code")
    assert page.locator(".qr").is_visible()
    # When the code is scanned by the phone and confirmed there
    code = demo.query(
        "SELECT t.action->>'value' FROM billing_paymenttransaction t JOIN billing_payment p "
        "ON p.id = t.payment_id JOIN billing_invoice i ON i.id = p.invoice_id "
        "WHERE i.invoice_no = %s",
        bill.number,
    )[0][0]
    openid = OPENID.format(mrn=PAYER)
    assert demo.act("payer", "open_pay_link", openid, link=code)["amount_fen"] == 123_45
    demo.act("payer", "confirm", openid)
    # Then the page turns by itself
    page.get_by_role("heading", name="已支付").wait_for()
    assert page.url.endswith("/result")
    demo.books_agree()


def test_cancelled_at_the_wallet_is_not_paid(demo: Demo, opened: Opened) -> None:
    # Given a payer at WeChat's page
    bill, link = offered(demo, 66_60)
    page = opened(link)
    to_wechat(page)
    page.wait_for_url(f"{demo.sandbox}/phone/**")
    # When they press "no" and come back
    page.locator("button[value=no]").click()
    page.get_by_role("link", name="返回商家").click()
    # Then nothing was taken, and until the order is closed nobody is led to pay twice
    assert head(page) in ("处理中", "未支付")
    picture(page, "pay-result-progress")
    demo.control("POST", "clock", {"advance_s": 400})
    assert demo.until(lambda: demo.invoice(bill.number)["status"] == "ISSUED")
    page.goto(f"{link}/result")
    assert head(page) == "未支付"
    assert demo.invoice(bill.number)["paid_fen"] == 0
    # And the same link still pays
    page.goto(link)
    to_wechat(page)
    page.wait_for_url(f"{demo.sandbox}/phone/**")
    confirm(page)
    page.get_by_role("heading", name="已支付").wait_for()
    assert demo.invoice(bill.number)["paid_fen"] == 66_60
    demo.books_agree()


def test_elder_mode_is_kept_to_the_result(demo: Demo, opened: Opened) -> None:
    # Given an old payer who switches to large text on the bill
    _bill, link = offered(demo, 5_00)
    page = opened(link)
    page.get_by_role("button", name="长辈版").click()
    assert page.locator("html").get_attribute("data-mode") == "elder"
    # When they pay
    to_wechat(page)
    page.wait_for_url(f"{demo.sandbox}/phone/**")
    confirm(page)
    # Then the result is large as well
    page.get_by_role("heading", name="已支付").wait_for()
    assert page.locator("html").get_attribute("data-mode") == "elder"
    sizes: list[Any] = page.evaluate(
        "[...document.querySelectorAll('main p, main h1, main a, main button')]"
        ".map(e => parseFloat(getComputedStyle(e).fontSize))"
    )
    assert min(sizes) >= 18
    demo.books_agree()


def test_pages_of_the_world_outside_work(demo: Demo, opened: Opened) -> None:
    """The HIS's console, a phone and the fault panel, pressed as a person presses them."""
    # Given the console
    page = opened(f"{demo.sandbox}/his/", width=1280, agent=DESKTOP)
    page.locator("select[name=mrn]").select_option("P0002")
    page.locator("[name=draw]").check()
    picture(page, "his-console")
    # When a visit is registered with drawn charges and collected
    page.locator("button[name=collect]").click()
    page.wait_for_url("**/his/visits/**")
    page.get_by_text("已支付").first.wait_for()
    picture(page, "his-visit")
    # Then the phone shows the message, and its other pages open
    page.goto(f"{demo.sandbox}/phone/of/oDemoP0002/messages")
    assert "医院账单已从您的账户扣款" in page.locator("main").inner_text()
    picture(page, "phone-messages")
    for name in ("wallet", "scan", "agreements", "history"):
        page.goto(f"{demo.sandbox}/phone/of/oDemoP0002/{name}")
        assert page.locator("h1").first.is_visible(), name
        picture(page, f"phone-{name}")
    # And the panel shows the books
    page.goto(f"{demo.sandbox}/_panel/")
    assert "对手方的账" in page.locator("main").inner_text()
    picture(page, "panel")
    demo.books_agree()
