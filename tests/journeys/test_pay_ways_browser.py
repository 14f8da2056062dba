"""Both wallets of the house in a real browser against the running demo, and from one to the
other."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from tests.fixtures.demo_process import CLIENT, OPENID, Demo
from tests.journeys import test_pay_link_browser as story
from tests.journeys.payer import PHONE
from tests.journeys.test_pay_link_browser import Opened, head, offered, picture

pytestmark = pytest.mark.browser
chrome, opened = story.chrome, story.opened
WECHAT = f"{PHONE} MicroMessenger/8.0.49"
ALIPAY = f"{PHONE} AlipayClient/10.6.60"
# The thirteenth of the demo's people, who signed no agreement.
MRN, USER_ID = "P0013", "2088000000000013"


def press(page: Page, way: str) -> None:
    page.locator(f"input[value='{way}']").check()
    page.locator(".bar button").click()


def say_yes(page: Page, name: str, who: str) -> None:
    """At the wallet's page: the password, and back to the hospital."""
    page.wait_for_url(re.compile("/phone/"))
    page.locator(f"select[name={name}]").select_option(who)
    page.locator("button[value=yes]").click()
    page.get_by_role("link", name="返回商家").click()


def orders(demo: Demo, number: str) -> list[tuple[str, str, str]]:
    return demo.query(
        "SELECT p.channel, p.mode, t.status FROM billing_paymenttransaction t "
        "JOIN billing_payment p ON p.id = t.payment_id JOIN billing_invoice i "
        "ON i.id = p.invoice_id WHERE i.invoice_no = %s ORDER BY t.id",
        number,
    )


def test_inside_wechat_the_payer_signs_in_once_and_pays_there(demo: Demo, opened: Opened) -> None:
    # Given a link opened inside WeChat, on a phone whose WeChat the hospital knows
    bill, link = offered(demo, 80_00, 6_40, mrn=MRN)
    openid = OPENID.format(mrn=MRN)
    page = opened(f"{demo.sandbox}/phone/of/{openid}/wallet", agent=WECHAT)
    page.add_init_script(CLIENT.get(f"{demo.sandbox}/phone/wechat/bridge.js").text)
    page.goto(f"{link}/pay")

    # When they sign in with WeChat
    page.get_by_role("button", name="用微信登录后支付").click()
    page.get_by_role("button", name="用微信登录后支付").wait_for(state="detached")

    # Then they are back at the bill (with the fragment that WeChat wants on its own address), and
    # WeChat comes up by itself
    assert page.url.partition("#")[0] == f"{link}/pay"
    picture(page, "pay-inside-wechat")
    press(page, "wechat_pay.jsapi")
    say_yes(page, "openid", openid)
    page.get_by_role("heading", name="已支付").wait_for()
    assert [tuple(row) for row in orders(demo, bill.number)] == [
        ("wechat_pay", "jsapi", "SUCCEEDED")
    ]
    assert demo.invoice(bill.number)["paid_fen"] == 86_40
    demo.books_agree()


def test_from_wechat_to_alipay_only_alipay_takes_the_money(demo: Demo, opened: Opened) -> None:
    # Given a payer who opened WeChat and came back without paying
    bill, link = offered(demo, 45_60, mrn=MRN)
    page = opened(f"{link}/pay")
    press(page, "wechat_pay.h5")
    page.wait_for_url(re.compile("/phone/wechat/pay/"))
    dead = page.url
    page.goto(f"{link}/code")
    assert head(page) == "请在微信里付款"

    # When they take another way
    page.get_by_role("link", name="换一种方式支付").click()
    assert "会先关闭已打开的那笔订单" in page.locator("main").inner_text()
    press(page, "alipay.h5")
    say_yes(page, "user_id", USER_ID)

    # Then Alipay paid it, and WeChat's page takes nothing any more
    page.get_by_role("heading", name="已支付").wait_for()
    assert "支付宝" in page.locator("main").inner_text()
    found = [tuple(row) for row in orders(demo, bill.number)]
    assert found == [("wechat_pay", "h5", "CLOSED"), ("alipay", "h5", "SUCCEEDED")]
    page.goto(dead)
    assert page.locator("button[value=yes]").count() == 0
    demo.books_agree()


def test_inside_alipay_its_own_way_stands_first(demo: Demo, opened: Opened) -> None:
    bill, link = offered(demo, 12_30, mrn=MRN)
    page = opened(f"{link}/pay", agent=ALIPAY)
    values = page.locator("input[name=way]").evaluate_all("all => all.map(one => one.value)")
    assert values == ["alipay.h5", "window"]
    page.locator(".bar button").click()
    say_yes(page, "user_id", USER_ID)
    page.get_by_role("heading", name="已支付").wait_for()
    assert demo.invoice(bill.number)["status"] == "PAID"
    demo.books_agree()
