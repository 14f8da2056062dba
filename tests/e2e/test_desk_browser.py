"""The window's pages of bindings, agreements and joined records in a browser: they fit a desktop
and a hand, hold the policy, and are used by keyboard and without script."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page

from billing.models import Agreement, Invoice
from core import clock
from patients.models import Patient, PatientAccess, PatientMerge, UserPhone
from tests.billing.desk.conftest import scripted_channel
from tests.billing.desk.people import browser as logged_in
from tests.billing.desk.people import paid_by_agreement
from tests.e2e.measures import policy_fault
from tests.factories import patients, payments
from tests.factories.billing import invoice, visit_bill

__all__ = ["scripted_channel"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
POLICY = "config.csp.ContentSecurityPolicy"
# Where the README's pictures go; asked for by name, so that a run of tests changes no file.
PICTURES = os.environ.get("PICTURES_TO", "")
LEAST = """() => [...document.querySelectorAll('.desk a.button, .desk button, .desk .field,'
  + '.desk summary')].filter(e => e.offsetParent && e.getBoundingClientRect().height < 36)
  .map(e => e.outerHTML.slice(0, 80))"""


@dataclass
class House:
    """陈秀兰, whose daughter pays for her; a twin record of hers; a case that waits."""

    address: str
    mother: Patient
    bound: PatientAccess
    signed: Agreement
    twin: Patient
    case: PatientMerge

    @property
    def pages(self) -> list[tuple[str, str]]:
        """Each page with the role that uses it."""
        of, merges = f"/admin/desk/patients/{self.mother.pk}", "/admin/desk/merges"
        return [
            ("cashier", of),
            ("refund_clerk", f"{of}/bindings"),
            ("refund_clerk", f"{of}/bindings/end?access={self.bound.pk}"),
            ("refund_clerk", f"{of}/agreements/end?agreement={self.signed.pk}"),
            ("cashier", merges),
            ("cashier", f"{merges}/new"),
            ("cashier", f"{merges}/new?kept={self.mother.pk}"),
            ("cashier", f"{merges}/new?kept={self.mother.pk}&merged={self.twin.pk}"),
            ("reviewer", f"{merges}/{self.case.pk}"),
        ]


@pytest.fixture(scope="module", autouse=True)
def database_beside_the_browser() -> Iterator[None]:
    """Playwright keeps a loop in this thread, and Django would refuse the database for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@pytest.fixture
def house(live_server: Any, settings: Any) -> House:
    settings.MIDDLEWARE = [POLICY, *settings.MIDDLEWARE]
    patients.campus(name="云溪市第一医院")
    mother = patients.patient(
        "0004182276", number=patients.id_number(3), name="陈秀兰", sex="female",
        birth_date=date(1953, 3, 12),
    )  # fmt: skip
    visit = patients.encounter("E1", of=mother)
    paid_by_agreement(visit_bill(visit, "2611200418"))
    other = patients.encounter("E2", of=mother)
    invoice(12_000, of=other, invoice_no="2611200419", item_name="颈动脉彩色多普勒超声检查")
    daughter = payments.user("daughter")
    payments.access(patients.patient(name="李雯"), daughter)
    UserPhone.objects.create(user=daughter, phone="13812345678", verified_at=clock.now())
    bound = payments.access(mother, daughter, "parent")
    signed = payments.agreement(mother, daughter, own_daily_fen=80_000)
    same: Any = {"name": "陈秀兰", "sex": "female", "birth_date": mother.birth_date}
    twin, other = (patients.patient(f"0004{n}", **same) for n in (991, 992))
    form = f"/admin/desk/merges/new?kept={mother.pk}&merged={other.pk}"
    logged_in("cashier").post(form, {"reason": "急诊时没有带卡，重新建档"})
    return House(live_server.url, mother, bound, signed, twin, PatientMerge.objects.get())


@pytest.fixture
def open_page(browser: Browser, house: House) -> Iterator[Callable[..., Page]]:
    contexts = []

    def opened(role: str, width: int = 1280, *, script: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=script, locale="zh-CN"
        )
        client: Client = logged_in(role)
        name = settings.SESSION_COOKIE_NAME
        session = {"name": name, "value": client.cookies[name].value, "url": house.address}
        context.add_cookies([session])
        contexts.append(context)
        page: Any = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda line: page.faults.extend(policy_fault(line)))
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_fits_and_can_be_hit(open_page: Any, house: House, width: int) -> None:
    pages = {role: open_page(role, width) for role, _address in house.pages}
    for role, address in house.pages:
        page = pages[role]
        answer = page.goto(f"{house.address}{address}")
        where = f"{address} at {width}"
        assert answer.status == 200, where
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where
        assert page.evaluate(LEAST) == [], where
        assert page.faults == [], where


def test_the_window_as_the_readme_shows_it(open_page: Any, house: House, tmp_path: Path) -> None:
    of = f"/admin/desk/patients/{house.mother.pk}"
    bill = Invoice.objects.get(invoice_no="2611200418")
    pictured = {
        "desk-patient": ("cashier", of),
        "desk-bill": ("cashier", f"/admin/desk/bills/{bill.pk}"),
        "desk-bindings": ("refund_clerk", f"{of}/bindings"),
        "desk-merge": ("reviewer", f"/admin/desk/merges/{house.case.pk}"),
    }
    for name, (role, address) in pictured.items():
        page = open_page(role, 1440)
        answer = page.goto(f"{house.address}{address}")
        page.wait_for_timeout(300)  # the theme fades its pages in
        whole = name == "desk-bill"  # its postings stand below
        page.screenshot(path=Path(PICTURES or tmp_path) / f"{name}.png", full_page=whole)
        assert (answer.status, page.faults) == (200, []), name
        assert page.evaluate("document.documentElement.scrollWidth") <= 1440, name


@pytest.mark.proof("T28")
def test_a_binding_is_ended_by_keyboard(open_page: Any, house: House) -> None:
    page = open_page("refund_clerk")
    page.goto(f"{house.address}/admin/desk/patients/{house.mother.pk}/bindings")
    page.locator(f"a[href$='access={house.bound.pk}']").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/bindings/end?*")
    # the reason has the focus, so that it is typed and sent without the mouse
    page.locator("#reason:focus").wait_for()
    page.keyboard.type("本人到窗口要求")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bindings")
    assert "已解除绑定" in page.locator(".banner.tone-ok").inner_text()
    house.bound.refresh_from_db()
    assert house.bound.end_reason == "本人到窗口要求"


def test_records_are_found_compared_and_proposed_without_script(
    open_page: Any, house: House
) -> None:
    page = open_page("cashier", 390, script=False)
    page.goto(f"{house.address}/admin/desk/patients/{house.mother.pk}")
    page.get_by_role("link", name="此人有另一份档案").click(timeout=5_000)
    page.get_by_label("查找此人的另一份档案").fill("0004991")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("link", name="核对").click()
    page.get_by_label("为什么是同一人").fill("急诊建档")
    page.get_by_role("button", name="提出").click()
    case = PatientMerge.objects.get(merged=house.twin)
    assert page.url == f"{house.address}/admin/desk/merges/{case.pk}"
    assert "只能查看" in page.locator(".decide").inner_text()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("１００", "找零 ¥50.00"),
        ("1,000.5", "找零 ¥950.50"),
        ("60。5", "找零 ¥10.50"),
        ("￥５０．００元", "找零 ¥0.00"),
        ("49.99", "还差 ¥0.01"),
        ("50.001", "这不是以元为单位的金额"),
        ("1,00", "这不是以元为单位的金额"),
        ("", "找零 —"),
    ],
)
def test_the_change_is_read_as_money_is_typed_and_too_little_is_said(
    open_page: Any, house: House, typed: str, said: str
) -> None:
    bill = invoice(5_000, of=patients.encounter("E9", of=house.twin), invoice_no="2611200501")
    page = open_page("cashier", 390)
    page.goto(f"{house.address}/admin/desk/bills/{bill.pk}/cash")
    page.get_by_label("实收").fill("1")
    page.get_by_label("实收").fill(typed)

    assert page.locator(".change output").inner_text() == said
    # What is short cannot be taken, by mouse or by key, until it is mended.
    assert page.locator("[data-key=F2]").is_disabled() is said.startswith("还差")
    assert page.faults == []
