"""The signed-in pages in a browser: they fit, can be read and hit, in every mode and language, and
the ways through them work without script."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.conf import settings
from django.test import Client

from billing.models import Invoice, PaymentTransaction
from core import clock
from core.models import User
from patients.models import Notification
from tests.billing.portal_house import bill, family, ordered, paid, signed_in
from tests.e2e.measures import CUT, FONTS, PALE, SMALL, policy_fault
from tests.factories import payments

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile Safari/604.1"
POLICY = "config.csp.ContentSecurityPolicy"
VIEWS = [
    (390, "standard", 44, "zh-CN"),
    (320, "standard", 44, "zh-CN"),
    (390, "elder-1", 60, "zh-CN"),
    (320, "elder-3", 60, "zh-CN"),
    (1280, "standard", 44, "zh-CN"),
    (390, "standard", 44, "en"),
    (320, "elder-3", 60, "en"),
]


@dataclass
class House:
    user: User
    client: Client
    address: str
    to_pay: Invoice
    mothers: Invoice
    settled: Invoice
    running: Invoice

    @property
    def pages(self) -> list[str]:
        return [
            "/",
            "/bills",
            "/bills?state=refunded",
            "/bills?ask=month",
            "/messages",
            "/help",
            "/settings",
            *(f"/bills/{self.to_pay.pk}{page}" for page in ("", "/pay", "/window")),
            f"/bills/{self.mothers.pk}",
            *(f"/bills/{self.settled.pk}{page}" for page in ("", "/result", "/rating")),
            f"/bills/{self.settled.pk}/rating?grade=2",
            f"/bills/{self.running.pk}/result",
            f"/bills/{self.running.pk}/code",
        ]


@pytest.fixture(scope="module", autouse=True)
def database_beside_the_browser():
    """Playwright keeps a loop in this thread, and Django would refuse the database for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def house(live_server, settings):
    """A family with a bill in every state, read through the policy that production sends."""
    settings.MIDDLEWARE = [POLICY, *settings.MIDDLEWARE]
    user, own, mother = family()
    payments.agreement(own, user, own_single_fen=50_000)
    daughter = payments.user()
    payments.access(own, daughter, "parent")
    payments.agreement(own, daughter, own_single_fen=5_000)
    named = {"item_name": "阿托伐他汀钙片 20mg × 28 片（进口分装）", "category": "09"}
    settled = bill(own, 4200, **named)
    done = paid(settled, payer_id=user.pk)
    Notification.objects.filter(key=f"deducted/{done.number}").update(
        status="SENT", sent_at=clock.now()
    )
    running = bill(own, 1234567)
    until = clock.now().replace(hour=10, minute=5).isoformat()
    PaymentTransaction.objects.filter(pk=ordered(running).pk).update(
        status="PENDING",
        action={"type": "url", "value": "https://wx.tenpay.com/x?p=1", "expires_at": until},
    )
    return House(
        user=user,
        client=signed_in(user),
        address=live_server.url,
        to_pay=bill(own, 4260, 3680, 700, **named),
        mothers=bill(mother, 2000),
        settled=settled,
        running=running,
    )


@pytest.fixture
def open_page(browser, house):
    """A phone on which the user is signed in; every breach of the policy is kept on the page."""
    contexts = []

    def opened(width=390, mode="standard", script=True, locale="zh-CN"):
        context = browser.new_context(
            viewport={"width": width, "height": 780},
            user_agent=PHONE,
            java_script_enabled=script,
            locale=locale,
        )
        session = house.client.cookies[settings.SESSION_COOKIE_NAME].value
        cookies = {"mode": mode, settings.SESSION_COOKIE_NAME: session}
        context.add_cookies(
            [{"name": n, "value": v, "url": house.address} for n, v in cookies.items()]
        )
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
def test_every_page_fits_and_can_be_read_and_hit(open_page, house, view):
    width, mode, least, locale = view
    page = open_page(width, mode, locale=locale)
    for address in house.pages:
        answer = page.goto(f"{house.address}{address}")
        where = f"{address} at {width} {mode} {locale}"

        assert answer.status == 200, where
        assert page.evaluate("document.documentElement.scrollWidth") == width, where
        assert page.evaluate(CUT) == [], where
        assert page.evaluate(SMALL, least) == [], where
        assert page.evaluate(PALE) == [], where
        assert mode == "standard" or min(page.evaluate(FONTS)) >= 18, where
        assert page.faults == [], where


def test_from_home_to_the_window_and_back_without_script(open_page, house):
    page = open_page(script=False)
    page.goto(house.address)
    page.get_by_role("link", name="查看账单并支付").click()
    page.get_by_role("link", name="去支付").click()
    page.get_by_text("到窗口付").click()
    page.locator(".bar button").click()
    assert page.locator("h1").inner_text() == "到窗口付"
    page.go_back()
    page.get_by_role("link", name="返回").click()
    page.get_by_role("link", name="返回").click()
    assert "上午好" in page.locator("h1").inner_text()


def test_button_names_each_way(open_page, house):
    page = open_page()
    page.goto(f"{house.address}/bills/{house.to_pay.pk}/pay")
    button = page.locator(".bar button")
    assert "".join(button.inner_text().split()) == "用微信免密支付¥86.40"
    page.get_by_text("微信支付", exact=True).click()
    assert "".join(button.inner_text().split()) == "用微信支付¥86.40"
    page.get_by_text("到窗口付").click()
    assert button.inner_text() == "看窗口在哪里"


def test_elder_size_is_remembered_from_the_settings(open_page, house):
    page = open_page(script=False)
    page.goto(f"{house.address}/settings")
    page.get_by_role("button", name="最大").click()
    page.goto(house.address)
    assert page.locator("html").get_attribute("data-size") == "3"


def test_elder_filters_are_one_question_a_page(open_page, house):
    page = open_page(mode="elder-1", script=False)
    page.goto(f"{house.address}/bills")
    page.get_by_role("link", name="哪种状态？").click()
    assert page.locator("h1").inner_text() == "哪种状态？"
    page.get_by_role("link", name="待支付").click()
    assert page.locator(".cells a.cell").count() == 2
