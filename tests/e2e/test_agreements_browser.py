"""The pages of agreements in a browser: they fit, can be read and hit in both modes, and the ways
through them work without script."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Page

from billing.models import Agreement
from core import clock
from core.models import User
from patients.models import Consent
from tests.billing.portal_house import bill, family, paid, signed_in
from tests.billing.services.agreement_house import (
    Wallet,
    agreed,
    begin,
    narrow_plan,
    standing,
    wallet_of,
)
from tests.e2e.measures import CUT, FONTS, PALE, SMALL, policy_fault
from tests.factories import payments

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile Safari/604.1"
POLICY = "config.csp.ContentSecurityPolicy"
SHOTS = os.environ.get("PAGE_SHOTS", "")
VIEWS = [
    (390, "standard", 44),
    (320, "standard", 44),
    (390, "elder-1", 60),
    (320, "elder-3", 60),
    (1280, "standard", 44),
]


@dataclass
class House:
    user: User
    client: Client
    address: str
    rows: list[Agreement]
    plan: int

    @property
    def pages(self) -> list[str]:
        first, paused, signing, ended, refused = (row.pk for row in self.rows)
        own = ("", "/people", "/limits", "/end", "/deductions")
        return [
            "/agreements",
            "/agreements?done=paused",
            "/agreements/new",
            f"/agreements/new/{self.plan}",
            *(f"/agreements/{first}{page}" for page in own),
            f"/agreements/{paused}",
            f"/agreements/{paused}/deductions",
            f"/agreements/{ended}",
            f"/agreements/{first}/result",
            f"/agreements/{signing}/result",
            f"/agreements/{signing}/sign",
            f"/agreements/{refused}/result",
        ]


@pytest.fixture(scope="module", autouse=True)
def database_beside_the_browser() -> Iterator[None]:
    """Playwright keeps a loop in this thread, and Django would refuse the database for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def wallet(monkeypatch: pytest.MonkeyPatch) -> Wallet:
    return wallet_of(monkeypatch)


@pytest.fixture
def house(live_server: Any, settings: Any, wallet: Wallet) -> House:
    """A payer with an agreement in every state, read through the policy that production sends."""
    settings.MIDDLEWARE = [POLICY, *settings.MIDDLEWARE]
    settings.PORTAL_URL = live_server.url
    settings.PAYMENT_CHANNELS = {
        "wechat_pay": "tests.scripted.ScriptedChannel",
        "cash": "billing.channels.cash.Cash",
    }
    user, own, mother = family()
    now = clock.now()
    first = standing(user, [own, mother], own_daily_fen=123_456_789, plan=payments.plan())
    paused = standing(user, [mother], status="PAUSED", preference=2)
    ends = {"status": "ENDED", "ended_at": now}
    ended = standing(user, [own], plan=payments.plan(plan_id="3"), ended_how="wallet", **ends)
    paid(bill(mother, 86_40), mode="agreement", agreement=first, payer_id=user.pk)
    paid(bill(own, 1_234_567), mode="agreement", agreement=first, payer_id=user.pk)
    signing = begin(user, [own], plan=narrow_plan("4"))
    refused = begin(user, [own], plan=narrow_plan("5"))
    Agreement.objects.filter(pk=refused.pk).update(ended_how="refused", **ends)
    return House(
        user=user,
        client=signed_in(user),
        address=live_server.url,
        rows=[first, paused, signing, ended, refused],
        plan=narrow_plan("6").pk,
    )


@pytest.fixture
def open_page(browser: Any, house: House) -> Iterator[Callable[..., Page]]:
    """A phone on which the user is signed in; every breach of the policy is kept in `faults`."""
    contexts = []

    def opened(width: int = 390, mode: str = "standard", script: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 780},
            user_agent=PHONE,
            java_script_enabled=script,
            locale="zh-CN",
        )
        name = django_settings.SESSION_COOKIE_NAME
        cookies = {"mode": mode, name: house.client.cookies[name].value}
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
def test_every_page_fits_and_can_be_read_and_hit(
    open_page: Callable[..., Page], house: House, view: tuple[int, str, int]
) -> None:
    width, mode, least = view
    page = open_page(width, mode)
    for place, address in enumerate(house.pages):
        answer = page.goto(f"{house.address}{address}")
        where = f"{address} at {width} {mode}"
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/{width}-{mode}-{place:02d}.png", full_page=True)
        assert answer is not None and answer.status == 200, where
        assert page.evaluate("document.documentElement.scrollWidth") == width, where
        assert page.evaluate(CUT) == [], where
        assert page.evaluate(SMALL, least) == [], where
        assert page.evaluate(PALE) == [], where
        assert mode == "standard" or min(page.evaluate(FONTS)) >= 18, where
        assert page.faults == [], where


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_sign_switch_and_end(
    open_page: Callable[..., Page], house: House, wallet: Wallet, script: bool
) -> None:
    page = open_page(script=script)
    page.goto(f"{house.address}/agreements/new/{house.plan}")
    page.locator('input[name="people"]').first.check()
    page.get_by_label("每笔最多").fill("８0")
    page.locator(".bar button").click()
    assert page.locator("h1").inner_text() == "还差一步"
    made = Agreement.objects.latest("pk")
    assert (made.status, made.own_single_fen) == ("SIGNING", 8_000)
    link = page.get_by_role("link", name="去签约").get_attribute("href")
    assert link == f"https://wallet.example/sign?code={made.contract_code}"
    first = house.rows[0]
    page.goto(f"{house.address}/agreements")
    page.get_by_role("switch").first.click()
    assert page.get_by_role("switch").first.get_attribute("aria-checked") == "false"
    page.goto(f"{house.address}/agreements/{first.pk}")
    page.get_by_role("link", name="解约").click()
    page.get_by_role("button", name="解约").click()
    first.refresh_from_db()
    assert first.status == "ENDED"
    assert "已解约" in page.locator(".banner").first.inner_text()


def test_elder_signs_one_question_a_page_without_script(
    open_page: Callable[..., Page], house: House
) -> None:
    page = open_page(mode="elder-1", script=False)
    page.goto(f"{house.address}/agreements/new/{house.plan}")
    assert page.locator("h1").inner_text() == "替谁付？"
    page.locator(".bar button").click()
    assert "请至少选一个人" in page.locator(".error-summary").inner_text()
    page.locator('input[name="people"]').first.check()
    page.locator(".bar button").click()
    assert page.locator("h1").inner_text() == "最多扣多少？"
    page.locator(".bar button").click()
    assert page.locator("h1").inner_text() == "还差一步"


def test_without_consent_the_text_is_read_and_ticked(
    open_page: Callable[..., Page], house: House
) -> None:
    Consent.objects.filter(user=house.user, purpose="deduction").delete()
    page = open_page()
    page.goto(f"{house.address}/agreements/new/{house.plan}")
    page.locator('input[name="people"]').first.check()
    page.locator(".bar button").click()
    assert "不同意就不能自动扣款" in page.locator(".error-summary").inner_text()
    page.locator('input[name="agree"]').check()
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/form-consent.png", full_page=True)
    page.locator(".bar button").click()
    assert page.locator("h1").inner_text() == "还差一步"
    agreed(house.user)
