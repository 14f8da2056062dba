"""On the way: the tag at the window, large letters, and the question afterwards."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.e2e.demo.conftest import Signed, Taps
from tests.e2e.demo.steps import sign_in
from tests.e2e.demo.walker import Walker
from tests.fixtures.demo_process import Demo

pytestmark = pytest.mark.browser
DOORS = ("待支付", "我的码|就诊码", "家人", "免密支付", "全部记录", "消息", "帮助", "设置")


def test_a_tag_opens_the_code(signed: Signed, tag: str, taps: Taps) -> None:
    who = signed.who
    who.begin(tag)
    assert who.head == "门诊3号窗口"
    assert who.page.locator(".qr").is_visible()
    assert who.one.name in who.words
    who.picture("tag")
    taps("from a tag to the code, the touch itself", who.taps + 1, 1)


def test_a_tag_touched_by_a_stranger_asks_who_first(
    chrome: Browser, house: Demo, mother: Walker, tag: str, width: int
) -> None:
    who = Walker(chrome, house, mother.one, width=width)
    who.begin(tag)
    assert who.path == "/accounts/login"
    house.control("POST", "clock", {"advance_s": 61})
    sign_in(who)
    assert who.path == "/t/W3" and who.page.locator(".qr").is_visible()
    assert who.faults == []
    who.context.close()


def test_elder_mode_is_one_press_and_stays(signed: Signed) -> None:
    who = signed.who
    who.begin("/")
    who.picture("home")
    who.press("长辈版")
    assert (who.mode, who.taps) == ("elder", 1)
    who.picture("home-elder")
    for door in DOORS:
        who.open("/")
        who.tap(door)
        assert who.mode == "elder", who.path
        assert who.page.locator("h1").first.is_visible()
        if who.path == "/help":
            who.picture("help-elder")
    who.open("/")
    who.press("标准版")
    assert who.mode is None


def test_what_was_paid_is_kept_with_its_receipt(signed: Signed, house: Demo) -> None:
    # Given a bill of today that is paid
    who = signed.who
    bill = house.bill(who.one.mrn, 80_00, 6_40)
    who.scanned(bill.number)
    # When the history is opened and the bill in it
    who.begin("/bills")
    assert "¥86.40" in who.words
    who.picture("history")
    who.tap(who.page.locator(".cells a.cell").filter(has_text="86.40").first)
    assert who.head == "已支付"
    who.picture("history-paid")
    # Then its receipt is a file
    link = who.page.locator("a[href$='/receipt']").first
    answer = who.context.request.get(f"{house.portal}{link.get_attribute('href')}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/pdf")
    who.file("receipt.pdf", answer.body())


def test_the_day_after_they_are_asked_how_it_was(signed: Signed, house: Demo) -> None:
    # Given a bill that was paid today, and no question on the same day
    who = signed.who
    house.morning()
    bill = house.bill(who.one.mrn, 12_30)
    who.scanned(bill.number)
    who.open("/")
    asked = who.page.get_by_role("link", name="这次就诊满意吗")
    # When it is the next day
    assert house.manage("clock", "--advance", "24h").code == 0
    who.open("/")
    asked.click()
    who.page.get_by_label("满意", exact=True).check()
    who.picture("rating")
    who.tap(who.page.locator(".bar button"))
    assert who.head == "谢谢您", who.head
    who.picture("rating-thanks")
