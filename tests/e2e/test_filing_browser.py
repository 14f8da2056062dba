"""Rights and filings in a browser: they fit, can be read and hit, on the phone and at a window."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page

from config.roles import roles_sync
from core import clock
from insurance.models import Entitlement
from patients.models import Patient
from tests.billing.desk.people import browser as logged_in
from tests.e2e.measures import CUT, FONTS, PALE, SMALL, policy_fault
from tests.factories import accounts, patients, payments
from tests.insurance import factories

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
POLICY = "config.csp.ContentSecurityPolicy"
VIEWS = [
    (390, "standard", 44, "zh-CN"),
    (390, "elder-1", 60, "zh-CN"),
    (320, "elder-3", 60, "zh-CN"),
    (1280, "standard", 44, "zh-CN"),
    (320, "elder-3", 60, "en"),
]
# Where pictures go; asked for by name, so that a run of tests changes no file.
PICTURES = os.environ.get("PICTURES_TO", "")
WAYS = [
    {"way": "long_term", "code": "2", "days": 365},
    {"way": "transfer", "code": "1", "days": 180},
    {"way": "emergency", "code": "3", "days": 15},
]


@dataclass
class House:
    """赵敏, insured elsewhere, with a filing in every state; 陈国强, who is not asked about yet."""

    address: str
    client: Client
    person: Patient
    pages: dict[str, str]


@pytest.fixture(scope="module", autouse=True)
def database_beside_the_browser() -> Iterator[None]:
    """Playwright keeps a loop in this thread, and Django would refuse the database for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def house(live_server: Any, settings: Any) -> House:
    settings.MIDDLEWARE = [POLICY, *settings.MIDDLEWARE]
    roles_sync()
    place = factories.institution(area="330300", filing_ways=WAYS)
    patients.campus(window_text="门诊楼 1 层 3 号窗口，7:30–17:00，可付现金", phone="0500-86120000")
    user = accounts.patient_user("13900000007", consents=("privacy",))
    unfiled, filed, unasked = (
        patients.patient(name=name, number=patients.id_number(7 + n))
        for n, name in enumerate(("赵敏", "赵国庆", "陈国强"))
    )
    payments.access(unfiled, user)
    for one, relation in ((filed, "parent"), (unasked, "parent")):
        row = payments.access(one, user, relation)
        row.may_view = row.may_pay = True
        row.save()
    for one in (unfiled, filed):
        factories.coverage(one, insured_area="440300")
    factories.entitlement(filed, insured_area="440300", care_area="330300")
    Entitlement.objects.create(
        patient=filed, kind="chronic", code="M03900", name="高血压", insured_area="440300",
        told_at=clock.now(),
    )  # fmt: skip
    stands = factories.filing(filed, place, insured_area="440300", care_area="330300")
    refused = factories.filing(
        unfiled, place, insured_area="440300", care_area="330300", status="REFUSED", filing_no="",
        answer_code="-2", answer_text="参保人员缴费中断，暂不能办理异地就医备案",
    )  # fmt: skip
    waits = factories.filing(
        unasked, place, insured_area="440300", care_area="330300", status="ASKED", filing_no=""
    )
    pages = {
        "rights-unfiled": "/insurance",
        "rights-filed": f"/insurance?person={filed.pk}",
        "rights-unasked": f"/insurance?person={unasked.pk}",
        "filing-why": f"/insurance/filing?person={unfiled.pk}",
        "filing-right": f"/insurance/filing?person={unfiled.pk}&way=transfer",
        "filing-filed": f"/insurance/filings/{stands.pk}",
        "filing-refused": f"/insurance/filings/{refused.pk}",
        "filing-waits": f"/insurance/filings/{waits.pk}",
        "filing-end": f"/insurance/filings/{stands.pk}/end",
    }
    return House(live_server.url, accounts.patient_client(user), unfiled, pages)


@pytest.fixture
def open_page(browser: Browser, house: House) -> Iterator[Callable[..., Page]]:
    contexts = []

    def opened(
        client: Client, width: int, mode: str = "standard", locale: str = "zh-CN", height: int = 780
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
        name = settings.SESSION_COOKIE_NAME
        cookies = {"mode": mode, name: client.cookies[name].value}
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
    page = open_page(house.client, width, mode, locale)
    for name, address in house.pages.items():
        answer = page.goto(f"{house.address}{address}")
        where = f"{name} at {width} {mode} {locale}"
        assert answer.status == 200, where
        if PICTURES and locale == "zh-CN":
            page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{mode}.png", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") == width, where
        assert page.evaluate(CUT) == [], where
        assert page.evaluate(SMALL, least) == [], where
        assert page.evaluate(PALE) == [], where
        assert mode == "standard" or min(page.evaluate(FONTS)) >= 18, where
        assert page.faults == [], where


@pytest.mark.parametrize("width", [390, 1440])
def test_the_windows_page_fits(open_page: Any, house: House, width: int) -> None:
    page = open_page(logged_in("cashier"), width, height=900)
    answer = page.goto(f"{house.address}/admin/desk/patients/{house.person.pk}/insurance")
    page.wait_for_timeout(300)  # the theme fades its pages in
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"desk-insurance-{width}.png", full_page=True)
    assert (answer.status, page.faults) == (200, [])
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#way option").count() == 1 + len(WAYS)
