"""The page inside WeChat in a real browser: its own script asks, the sandbox's WeChat answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from billing.models import PaymentTransaction
from core import clock
from patients.models import WalletIdentity
from tests.billing.portal_house import signed_in
from tests.contracts import test_pay_pages as story
from tests.contracts.test_pay_pages import WECHAT, World
from tests.e2e.conftest import ARGS
from tests.fixtures.sandbox_process import CLIENT

world = story.world
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def wechat(chromium: str, live_server: Any, world: World) -> Iterator[Page]:
    """A browser that plays WeChat, signed in as the reader of the bill."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        context = running.new_context(
            viewport={"width": 390, "height": 844}, user_agent=WECHAT, locale="zh-CN"
        )
        session = signed_in(world.user).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        context.add_init_script(CLIENT.get(f"{world.sandbox.url}/phone/wechat/bridge.js").text)
        page = context.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        yield page
        running.close()
        assert faults == []


@pytest.fixture(autouse=True)
def threads_may_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser's loop runs in this thread, beside our own questions to the database."""
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")


def test_the_page_asks_by_itself_and_again_on_a_press(
    wechat: Page,
    live_server: Any,
    world: World,
) -> None:
    # Given a payer known to the merchant's app
    WalletIdentity.objects.create(
        user=world.user,
        channel="wechat_pay",
        app_id="wx5a0db0c0ffee0001",
        subject=world.openid,
        created_at=clock.now(),
    )
    wechat.goto(f"{live_server.url}/bills/{world.bill.pk}/pay")

    # When they press once, WeChat comes up
    wechat.locator(".bar button").click()
    wechat.wait_for_url("**/phone/wechat/pay/**")
    assert wechat.locator("select[name=openid]").input_value() == world.openid

    # And who says no and comes back may ask again
    wechat.locator("button[value=no]").click()
    wechat.get_by_role("link", name="返回商家").click()
    wechat.wait_for_url("**/code")
    wechat.get_by_role("button", name="用微信支付").click()
    wechat.wait_for_url("**/phone/wechat/pay/**")
    wechat.locator("button[value=yes]").click()
    wechat.get_by_role("link", name="返回商家").wait_for()
    world.deliver()
    wechat.get_by_role("link", name="返回商家").click()

    # Then one order is paid
    wechat.get_by_role("heading", name="已支付").wait_for()
    assert world.paid() and PaymentTransaction.objects.count() == 1
