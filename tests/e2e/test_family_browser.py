"""Family, code and tags in a browser: they fit, can be read and hit, and work without script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page

from patients.models import Patient, PatientAccess, Relation
from patients.services.binding_sends import binding_code_send
from patients.views import binding
from tests.e2e.keyboard import enter, tab_to, typed
from tests.e2e.measures import CUT, FONTS, PALE, SMALL, policy_fault
from tests.factories.accounts import patient_client, patient_user
from tests.factories.patients import campus
from tests.patients.binding_house import Phone, adult, begun, bound, person, phone
from tests.patients.test_tags import location

__all__ = ["phone"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
POLICY = "config.csp.ContentSecurityPolicy"
VIEWS = [
    (390, "standard", 44, "zh-CN"),
    (320, "elder-3", 60, "zh-CN"),
    (1280, "standard", 44, "zh-CN"),
    (320, "elder-3", 60, "en"),
]


@dataclass
class House:
    client: Client
    address: str
    grandmother: Patient
    pages: list[str]


@pytest.fixture(scope="module", autouse=True)
def database_beside_the_browser() -> Iterator[None]:
    """Playwright keeps a loop in this thread, and Django would refuse the database for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def house(live_server: Any, settings: Any, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> House:
    """A mother with a father she pays for, a husband who pays for her, a child, and a wish."""
    settings.MIDDLEWARE = [POLICY, *settings.MIDDLEWARE]
    monkeypatch.setattr(binding, "enqueue", lambda _task, pk: binding_code_send(binding_id=pk))
    campus(window_text="门诊楼 1 层 3 号窗口，7:30–17:00，可付现金", phone="0500-86120000")
    location()
    user, own = adult(phone, "陈秀兰")
    access = bound(phone, user, person("陈国强"), Relation.PARENT)
    bound(phone, user, person("陈安", date(2018, 5, 6), guardian=own), Relation.CHILD)
    husband, _his = adult(phone, "李建国")
    bound(phone, husband, own, Relation.SPOUSE)
    grandmother = person("外婆")
    wish = begun(user, grandmother, Relation.OTHER)
    pages = ["/family", "/family/add", f"/family/add/{wish.pk}", f"/family/{access.pk}/end"]
    client = patient_client(user)
    return House(client, live_server.url, grandmother, [*pages, "/code", "/t/R208"])


@pytest.fixture
def open_page(browser: Browser, house: House) -> Iterator[Callable[..., Page]]:
    contexts = []

    def opened(
        width: int = 390,
        mode: str = "standard",
        script: bool = True,
        locale: str = "zh-CN",
        client: Client | None = None,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 780}, java_script_enabled=script, locale=locale
        )
        name = settings.SESSION_COOKIE_NAME
        cookies = {"mode": mode, name: (client or house.client).cookies[name].value}
        context.add_cookies(
            [{"name": n, "value": v, "url": house.address} for n, v in cookies.items()]
        )
        contexts.append(context)
        page: Any = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda line: page.faults.extend(policy_fault(line)))
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_every_page_fits_and_can_be_read_and_hit(
    open_page: Any, house: House, view: tuple[int, str, int, str]
) -> None:
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


def test_a_card_is_bound_in_elder_mode_without_script(
    open_page: Any, house: House, phone: Phone
) -> None:
    own = person("赵老人")
    page = open_page(mode="elder-1", script=False, client=patient_client(patient_user()))
    page.goto(f"{house.address}/family")
    page.get_by_role("link", name="绑定我的就诊卡").click()
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("患者姓名").fill("赵老人")
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("证件号码").fill(own.id_number)
    page.get_by_role("button", name="发送验证码").click()
    page.get_by_label("短信验证码").fill(phone.code)
    page.get_by_role("button", name="绑定就诊卡").click()
    assert "就诊卡已绑定" in page.locator(".banner.tone-ok").inner_text()
    assert PatientAccess.objects.get(patient=own).relation == "self"


@pytest.mark.proof("T28")
@pytest.mark.parametrize("mode", ["standard", "elder-3"])
def test_a_card_is_bound_by_keyboard_alone(
    open_page: Any, house: House, phone: Phone, mode: str
) -> None:
    own, elder = person("赵老人"), mode != "standard"
    page = open_page(mode=mode, client=patient_client(patient_user()))
    page.goto(f"{house.address}/family")
    enter(page, page.get_by_role("link", name="绑定我的就诊卡"))
    page.wait_for_url("**/family/add")
    tab_to(page, page.locator("input[name=relation]").first)
    page.keyboard.press("Space")
    if elder:
        enter(page, page.get_by_role("button", name="下一步"))
    typed(page, "患者姓名", "赵老人")
    if elder:
        enter(page, page.get_by_role("button", name="下一步"))
    typed(page, "证件号码", own.id_number)
    enter(page, page.get_by_role("button", name="发送验证码"))
    page.get_by_label("短信验证码").wait_for()
    typed(page, "短信验证码", phone.code)
    enter(page, page.get_by_role("button", name="绑定就诊卡"))
    page.wait_for_url("**/family?done=bound")
    assert PatientAccess.objects.get(patient=own).relation == "self"
    # And so is the way to end it
    enter(page, page.locator("a[href$='/end']").last)
    page.wait_for_url("**/end")
    assert page.faults == []


def test_the_patient_stops_a_payer_with_one_press(open_page: Any, house: House) -> None:
    page = open_page(script=False)
    page.goto(f"{house.address}/family")
    switch = page.get_by_role("switch", name="替我付")
    assert switch.get_attribute("aria-checked") == "true"
    switch.click()
    assert page.get_by_role("switch", name="替我付").get_attribute("aria-checked") == "false"
    assert "已暂停，不会扣款" in page.locator("[aria-labelledby=payers]").inner_text()


def test_a_code_that_is_over_never_stays_on_the_screen(open_page: Any, house: House) -> None:
    page = open_page()
    page.clock.install()
    page.goto(f"{house.address}/t/R208")
    assert page.locator(".qr").count() == 1
    page.clock.run_for(20_000)
    assert page.locator("[data-left]").inner_text() == "40"
    page.context.set_offline(True)
    page.clock.run_for(41_000)
    assert page.locator(".qr").count() == 0
    assert page.get_by_role("link", name="刷新").is_visible()
