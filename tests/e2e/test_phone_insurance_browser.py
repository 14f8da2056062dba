"""Insurance on the phone in a browser inside WeChat: allowed, priced, one password, paid; a child's
bill by the guardian's tap alone; and what is shown fits and can be read and hit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, Page

from billing.models import Invoice
from core import clock
from insurance.models import InsuranceRegion
from tests.billing.insured.conftest import ward
from tests.billing.insured.phone import Phone, phone_open
from tests.billing.insured.test_phone_child import CART, COVERED, Guardian
from tests.billing.insured.test_phone_child import phone as guardian
from tests.billing.insured.ward import Ward, even, movements, split_of
from tests.billing.portal_house import signed_in
from tests.contracts.nhsa_families import CHANGES
from tests.contracts.test_pay_pages import WECHAT
from tests.contracts.test_phone_covered_page import asks_on_the_phone, at_home
from tests.e2e.measures import CUT, FONTS, PALE, SMALL, policy_fault
from tests.factories import payments
from tests.fixtures.sandbox_process import CLIENT

__all__ = ["guardian", "ward"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
POLICY = "config.csp.ContentSecurityPolicy"
SHOTS = os.environ.get("PAGE_SHOTS", "")
VIEWS = [(390, "standard", 44), (390, "elder-1", 60), (320, "elder-3", 60)]
Opener = Callable[..., Page]


@pytest.fixture(scope="module", autouse=True)
def database_beside_the_browser() -> Iterator[None]:
    """Playwright keeps a loop in this thread, and Django would refuse the database for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def address(live_server: Any, settings: Any) -> str:
    settings.MIDDLEWARE = [POLICY, *settings.MIDDLEWARE]
    settings.PORTAL_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Opener]:
    """A page inside the WeChat of who is signed in."""
    contexts = []

    def open_page(client: Client, sandbox: str, width: int = 390, mode: str = "standard") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 780}, user_agent=WECHAT, locale="zh-CN"
        )
        name = django_settings.SESSION_COOKIE_NAME
        cookies = {"mode": mode, name: client.cookies[name].value}
        context.add_cookies([{"name": n, "value": v, "url": address} for n, v in cookies.items()])
        context.add_init_script(CLIENT.get(f"{sandbox}/phone/wechat/bridge.js").text)
        contexts.append(context)
        page: Any = context.new_page()
        page.faults = []
        page.on("console", lambda line: page.faults.extend(policy_fault(line)))
        return page

    yield open_page
    for context in contexts:
        context.close()


def looked_at(page: Any, name: str, view: tuple[int, str, int] = VIEWS[0]) -> None:
    """It fits, nothing is cut, everything can be read and hit."""
    width, mode, least = view
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") == width, name
    assert page.evaluate(CUT) == [], name
    assert page.evaluate(SMALL, least) == [], name
    assert page.evaluate(PALE) == [], name
    assert mode == "standard" or min(page.evaluate(FONTS)) >= 18, name
    assert page.faults == [], name


def press(page: Page, way: str) -> None:
    page.locator(f"input[value='{way}']").check()
    page.locator(".bar button").click()


def test_allowed_priced_one_password_paid(ward: Ward, opened: Opener, address: str) -> None:
    asks_on_the_phone(ward)
    phone = phone_open(ward)
    payments.access(ward.visit.patient, phone.user)
    bill = ward.priced()
    page = opened(signed_in(phone.user, WECHAT), ward.sandbox.url)
    page.goto(f"{address}/bills/{bill.pk}/pay")
    looked_at(page, "insured-ways")
    press(page, "insured")
    page.get_by_role("button", name="允许：王芳").click()
    page.wait_for_url(f"**/bills/{bill.pk}")
    ward.driven(bill)
    assert split_of(bill) == (2_452, 500, 0, 0, 1_398)
    page.goto(f"{address}/bills/{bill.pk}")
    looked_at(page, "insured-bill")
    page.get_by_role("link", name="支付").click()
    looked_at(page, "insured-password-way")
    press(page, "wechat_pay.mixed")
    page.wait_for_url("**/phone/**")
    page.locator("select[name=openid]").select_option(ward.openid)
    page.locator("button[value=yes]").click()
    page.get_by_role("link", name="返回商家").wait_for()
    phone.heard(bill)
    assert (bill.status, movements(bill)) == ("PAID", [("CAPTURE", "SUCCEEDED", 1_398)])
    page.get_by_role("link", name="返回商家").click()
    page.get_by_role("heading", name="已支付").wait_for()
    looked_at(page, "insured-paid")
    even(ward, bill)


def test_a_guardian_pays_the_childs_bill_by_one_tap(
    guardian: Guardian, opened: Opener, address: str
) -> None:
    asks_on_the_phone(guardian.ward)
    bill = at_home(guardian)
    page = opened(signed_in(guardian.user, WECHAT), guardian.ward.sandbox.url)
    page.goto(f"{address}/bills/{bill.pk}")
    looked_at(page, "child-unpriced")
    page.get_by_role("link", name="选择支付方式").click()
    looked_at(page, "child-ways")
    press(page, "insured")
    page.get_by_role("button", name="代王小明允许").first.click()
    page.wait_for_url(f"**/bills/{bill.pk}")
    guardian.ward.driven(bill)
    assert (bill.status, split_of(bill), movements(bill)) == ("PAID", COVERED, [])
    page.goto(f"{address}/bills/{bill.pk}/result")
    page.get_by_role("heading", name="已支付").wait_for()
    looked_at(page, "child-covered")


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_every_page_of_it_fits_in_both_modes(
    guardian: Guardian, opened: Opener, address: str, view: tuple[int, str, int]
) -> None:
    width, mode, _least = view
    asks_on_the_phone(guardian.ward)
    client = signed_in(guardian.user, WECHAT)
    page = opened(client, guardian.ward.sandbox.url, width, mode)
    unpriced = at_home(guardian)
    for code in ("card_not_linked", "balance_not_above"):
        CHANGES[code](guardian.ward.insurer)
    refused = priced_by_phone(guardian)
    shown = {
        "unpriced": f"/bills/{unpriced.pk}",
        "unpriced-ways": f"/bills/{unpriced.pk}/pay",
        "unpriced-window": f"/bills/{unpriced.pk}/window",
        "refused": f"/bills/{refused.pk}",
        "refused-ways": f"/bills/{refused.pk}/pay",
        "bills": "/bills",
        "home": "/",
        "family": "/family/insurance",
    }
    for name, where in shown.items():
        assert page.goto(f"{address}{where}").status == 200, name
        looked_at(page, f"{name}-{mode}-{width}", view)
    InsuranceRegion.objects.update(family_accounts=False)
    page.goto(f"{address}/family/insurance")
    looked_at(page, f"family-off-{mode}-{width}", view)


def priced_by_phone(phone: Phone) -> Invoice:
    bill = phone.ward.priced(CART)
    phone.allowed(bill)
    assert (bill.status, clock.today().year) == ("ISSUED", 2026)
    return bill
