"""One bill on a phone as the README shows it: to pay, how to pay, in progress, not paid, paid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page

from billing.channels.base import Operation, Source
from billing.models import Invoice, PaymentTransaction
from billing.services.apply import transaction_apply
from patients.models import Relation
from tests import scripted
from tests.billing.desk.conftest import scripted_channel
from tests.billing.portal_house import signed_in
from tests.e2e.demo.measured import STANDARD, faults_of
from tests.e2e.demo.walker import PHONE_SIZE, PICTURES
from tests.e2e.measures import policy_fault
from tests.e2e.test_desk_browser import database_beside_the_browser
from tests.factories import patients, payments
from tests.factories.billing import visit_bill
from tests.journeys.payer import PHONE

__all__ = ["database_beside_the_browser", "scripted_channel"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
POLICY = "config.csp.ContentSecurityPolicy"


@pytest.fixture
def bill() -> Invoice:
    """陈秀兰's visit; her own agreement may pay it, and her daughter's."""
    patients.campus(
        name="云溪市第一医院",
        window_text="门诊楼 1 层 3 号窗口，7:30–17:00，可付现金",
        phone="0500-8612 0000",
    )
    mother = patients.patient("0004182276", name="陈秀兰", sex="female")
    own, daughter = payments.user("chen"), payments.user("daughter")
    payments.access(mother, own, Relation.SELF)
    payments.agreement(mother, own, own_daily_fen=50_000)
    payments.access(mother, daughter, Relation.PARENT)
    payments.agreement(mother, daughter, own_daily_fen=30_000)
    visit = patients.encounter("E1", of=mother, department_name="心血管内科")
    return visit_bill(visit, "YX2611200418")


@pytest.fixture
def phone(browser: Browser, live_server: Any, settings: Any, bill: Invoice) -> Iterator[Page]:
    """Her phone, on which she is signed in."""
    settings.MIDDLEWARE = [POLICY, *settings.MIDDLEWARE]
    context = browser.new_context(
        viewport=PHONE_SIZE, user_agent=PHONE, locale="zh-CN", base_url=live_server.url,
        device_scale_factor=2 if PICTURES else 1,
    )  # fmt: skip
    context.add_cookies([_session(bill, live_server.url)])
    yield context.new_page()
    context.close()


def _session(bill: Invoice, address: str) -> Any:
    own = bill.patient.access.get(relation=Relation.SELF).user
    name = settings.SESSION_COOKIE_NAME
    return {"name": name, "value": signed_in(own, PHONE).cookies[name].value, "url": address}


def test_one_bill_as_the_readme_shows_it(phone: Page, bill: Invoice, tmp_path: Path) -> None:
    faults: list[str] = []
    phone.on("pageerror", lambda error: faults.append(str(error)))
    phone.on("console", lambda line: faults.extend(policy_fault(line)))

    def pictured(name: str, head: str) -> str:
        """Keep the page's picture, measured; its words without white space."""
        assert "".join(phone.locator("h1").first.inner_text().split()) == head
        faults.extend(f"{name}: {fault}" for fault in faults_of(phone, STANDARD))
        phone.screenshot(path=Path(PICTURES or tmp_path) / f"pay-{name}.png")
        return "".join(phone.locator("main").inner_text().split())

    # a bill that waits at home
    phone.goto("/")
    assert "¥86.40" in pictured("home", "秀兰，上午好")
    # a bill whose drugs stand open, and the ways in her own order
    phone.goto(f"/bills/{bill.pk}")
    assert "阿托伐他汀钙片" in pictured("bill", "账单")
    phone.goto(f"/bills/{bill.pk}/pay")
    assert "到窗口付" in pictured("ways", "怎样支付？")
    # pressed, and nobody answers
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    phone.locator(".bar button").click()
    phone.wait_for_url("**/result")
    assert "请勿重复支付" in pictured("result-progress", "处理中")
    # the channel says that it took nothing
    row = PaymentTransaction.objects.get()
    transaction_apply(transaction_id=row.pk, answer=scripted.DECLINED, source=Source.QUERY)
    phone.reload()
    assert "没有扣款" in pictured("result-not-paid", "未支付")
    # pressed once more, and taken
    phone.goto(f"/bills/{bill.pk}/pay")
    phone.locator(".bar button").click()
    phone.wait_for_url("**/result")
    words = pictured("result", "已支付")
    assert "请去取药" in words and "¥86.40" in words
    assert faults == []
