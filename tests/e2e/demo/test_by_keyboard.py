"""T28: a bill is paid by its link with Tab and Enter alone, and one always sees where one is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.keyboard import enter, tab_to
from tests.fixtures.demo_process import OPENID, Demo
from tests.journeys.payer import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.proof("T28")]
PAYER = "P0013"  # who has signed nothing


@pytest.fixture(params=["standard", "elder-3"])
def page(request: pytest.FixtureRequest, chrome: Browser, house: Demo) -> Iterator[Page]:
    context = chrome.new_context(
        viewport={"width": 390, "height": 844}, user_agent=PHONE, locale="zh-CN"
    )
    context.add_cookies([{"name": "mode", "value": request.param, "url": house.portal}])
    yield context.new_page()
    context.close()


def test_a_link_is_paid_without_a_mouse(page: Page, house: Demo) -> None:
    # Given a bill of ¥86.40 that waits behind a link
    openid = OPENID.format(mrn=PAYER)
    house.act("payer", "set_balance", openid, balance_fen=10_000_00)
    bill = house.bill(PAYER, 80_00, 6_40)
    answer = house.collect(bill.number, "pay_link")
    page.goto(answer["action"]["value"])
    # When the way is chosen and sent by keys
    enter(page, page.locator(".bar a"))
    page.wait_for_url("**/pay")
    chosen = page.locator("input[name=way]:checked")
    tab_to(page, chosen if chosen.count() else page.locator("input[name=way]").first)
    for _ in range(page.locator("input[name=way]").count()):
        if (chosen.first.get_attribute("value") or "").startswith("wechat_pay."):
            break
        page.keyboard.press("ArrowDown")
    enter(page, page.locator(".bar button"))
    # And said yes to in the wallet, which is not ours but has keys too
    page.wait_for_url(f"{house.sandbox}/phone/**")
    page.locator("select[name=openid]").select_option(openid)
    page.locator("button[value=yes]").press("Enter")
    page.get_by_role("link", name="返回商家").press("Enter")
    # Then it is paid, once
    page.get_by_role("heading", name="已支付").wait_for()
    assert house.invoice(bill.number)["paid_fen"] == 86_40
    enter(page, page.locator("main a, main summary, .foot a").first)
