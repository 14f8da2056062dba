"""Every kind of page of the staff's side, read by axe-core under the policy: nothing serious."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from playwright.sync_api import Browser, Page

from billing.models import (
    BillingReview,
    FundLoss,
    Invoice,
    MixedOrder,
    PaymentTransaction,
)
from core import clock
from insurance.models import (
    Claim,
    InsuranceMessage,
    InsuranceReview,
    InsurerStatement,
    MobileOrder,
    StatementDifference,
)
from patients.models import Patient
from tests.billing.desk.conftest import scripted_channel
from tests.billing.desk.people import browser as logged_in
from tests.billing.desk.people import hidden, paid_bill
from tests.e2e.axe import axe_faults
from tests.e2e.measures import policy_fault
from tests.factories import insured, patients, payments
from tests.factories.billing import invoice
from tests.insurance import factories as insurer

__all__ = ["scripted_channel"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
POLICY = "config.csp.ContentSecurityPolicy"
WIDTH = 1200


@pytest.fixture(scope="module", autouse=True)
def database_beside_the_browser() -> Iterator[None]:
    """Playwright keeps a loop in this thread, and Django would refuse the database for it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


@dataclass
class Desk:
    """A patient with a bill that waits, one that is paid, and a return that waits for a word."""

    address: str
    mother: Patient
    to_pay: Invoice
    paid: Invoice
    left: Invoice
    review: BillingReview
    unsettled: BillingReview
    browser: Browser

    @property
    def pages(self) -> list[tuple[str, str]]:
        of, bills = f"/admin/desk/patients/{self.mother.pk}", "/admin/desk/bills"
        movement = PaymentTransaction.objects.latest("pk")
        return [
            ("cashier", "/admin/"),
            ("cashier", of),
            ("refund_clerk", f"{of}/bindings"),
            ("cashier", f"{bills}/{self.to_pay.pk}"),
            ("cashier", f"{bills}/{self.to_pay.pk}/cash"),
            ("finance", f"{bills}/{self.paid.pk}"),
            ("refund_clerk", f"{bills}/{self.left.pk}/return"),
            ("reviewer", "/admin/desk/reviews"),
            ("reviewer", f"/admin/desk/reviews/{self.review.pk}"),
            ("refund_clerk", f"/admin/desk/reviews/{self.unsettled.pk}"),
            ("reviewer", f"/admin/desk/reviews/{self.unsettled.pk}"),
            ("cashier", "/admin/desk/merges"),
            ("cashier", f"/admin/desk/merges/new?kept={self.mother.pk}"),
            ("it", "/admin/"),
            ("it", "/admin/passkeys"),
            ("it", "/admin/password_change/"),
            ("finance", "/admin/billing/shift/"),
            ("finance", "/admin/ledger/closedday/"),
            ("finance", "/admin/billing/agreement/?status__exact=ACTIVE"),
            ("finance", "/admin/billing/paymenttransaction/"),
            ("finance", f"/admin/billing/paymenttransaction/{movement.pk}/change/"),
            *(("reviewer", page) for page in insurer_pages()),
            ("finance", "/admin/billing/fundloss/record/"),
            ("finance", f"/admin/billing/fundloss/{FundLoss.objects.get().pk}/change/"),
            ("it", "/admin/patients/location/add/"),
            ("", "/admin/login/"),
        ]

    def page(self, role: str) -> Page:
        """A browser of one role; every breach of the policy is written down."""
        context = self.browser.new_context(viewport={"width": WIDTH, "height": 900}, locale="zh-CN")
        if role:
            client: Client = logged_in(role)
            name = django_settings.SESSION_COOKIE_NAME
            value = client.cookies[name].value
            context.add_cookies([{"name": name, "value": value, "url": self.address}])
        page: Any = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda line: page.faults.extend(policy_fault(line)))
        return page


@pytest.fixture
def desk(live_server: Any, settings: Any, browser: Browser) -> Desk:
    settings.MIDDLEWARE = [POLICY, *settings.MIDDLEWARE]
    patients.campus(name="主院区")
    mother = patients.patient(
        "0004182276", number=patients.id_number(3), name="陈秀兰", birth_date=date(1953, 3, 12)
    )
    paid = paid_bill(8_640, 4_200, of=patients.encounter("E1", of=mother), invoice_no="2611200418")
    left = paid_bill(5_000, of=patients.encounter("E3", of=mother), invoice_no="2611200420")
    to_pay = invoice(12_000, of=patients.encounter("E2", of=mother), invoice_no="2611200419")
    patients.patient("0004991", name="陈秀兰")  # so that a search has two to list
    payments.access(mother, payments.user("daughter"), "parent")
    loss = insured.shown_rows(insurer.shown_rows())
    assert loss.steps.filter(status="OPEN").exists()
    cases = waiting(paid), not_settled(paid)
    return Desk(live_server.url, mother, to_pay, paid, left, *cases, browser)


def insurer_pages() -> list[str]:
    """List and row of what staff look at of the insurer's side; one question waits."""
    shown = (
        Claim, InsuranceReview, InsurerStatement, StatementDifference, InsuranceMessage,
        MobileOrder, MixedOrder, FundLoss,
    )  # fmt: skip
    lists = {model: f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in shown}
    rows = [f"{at}{model.objects.latest('pk').pk}/change/" for model, at in lists.items()]
    return [*lists.values(), *rows]


def not_settled(bill: Invoice) -> BillingReview:
    """A return after which the insurer settles nothing: the clerk may ask, the reviewer decides."""
    return BillingReview.objects.create(
        reason_code="return_not_settled",
        invoice=bill,
        figures={"code": "lines_refused", "paid_fen": 5_000, "sentence": "医保中心拒绝本次交易"},
        opened_by="system:system",
        opened_at=clock.now(),
    )


def waiting(paid: Invoice) -> BillingReview:
    """A return of everything, asked for at the window."""
    clerk, form = logged_in("refund_clerk"), f"/admin/desk/bills/{paid.pk}/return"
    shown = clerk.post(form, {"take": "all", "reason": "未做检查"})
    clerk.post(f"{form}/send", {"token": hidden(shown)})
    return BillingReview.objects.get()


def test_nothing_serious_on_any_page_of_the_staff(desk: Desk) -> None:
    found: list[str] = []
    seen: dict[str, Any] = {}
    for role, at in desk.pages:
        page: Any = seen.get(role) or desk.page(role)
        seen[role] = page
        answer = page.goto(f"{desk.address}{at}")
        page.wait_for_timeout(300)  # the theme fades its pages in; a half-faded word is pale
        assert answer.status == 200, at
        found += [f"{role} {at}: {fault}" for fault in axe_faults(page)]
        found += [f"{role} {at}: {fault}" for fault in page.faults]
        page.faults.clear()
    assert found == []


def test_nothing_serious_after_a_search(desk: Desk) -> None:
    page: Any = desk.page("cashier")
    for typed in ("陈秀兰", "NOBODY404", "陈"):
        page.goto(f"{desk.address}/admin/")
        page.locator("#q").fill(typed)
        page.locator("#q").press("Enter")
        page.wait_for_load_state()
        page.wait_for_timeout(300)
        assert axe_faults(page) == [], typed
        assert page.faults == [], typed
