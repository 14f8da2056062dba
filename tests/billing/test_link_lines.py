"""What a pay link shows of a minor's bill: it goes to the guardian, who may not see all of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client

from billing.models import Invoice
from billing.services.collecting.pay_links import pay_link_offer
from core import clock
from patients.models import Notification
from tests.billing.portal_house import paid, signed_in, text_of
from tests.billing.services.bills import driven
from tests.factories import payments
from tests.factories.billing import visit_bill
from tests.factories.patients import encounter, patient

pytestmark = pytest.mark.django_db
DRUG, PHARMACY, KEPT = "阿托伐他汀", "取药", "登录后"


def bill_at(age: int) -> Invoice:
    """A bill with drugs of somebody who has this birthday today, with a guardian on record."""
    today = clock.today()
    born = date(today.year - age, today.month, today.day)
    payments.merchant()
    return visit_bill(encounter(of=patient(birth_date=born, guardian=patient())))


def link_page(bill: Invoice, page: str = "") -> str:
    return text_of(Client().get(f"/p/{pay_link_offer(invoice=bill).token}{page}"))


@pytest.mark.parametrize(("age", "shown"), [(13, True), (14, False), (17, False), (18, True)])
def test_from_14_to_17_a_link_shows_what_a_payer_reads(
    still_clock: clock.FrozenClock, age: int, shown: bool
) -> None:
    bill = bill_at(age)
    page = link_page(bill)
    assert "86.40" in page
    assert (DRUG in page, KEPT in page) == (shown, not shown)
    paid(bill)
    page, result = link_page(bill), link_page(bill, "/result")
    assert (DRUG in page, PHARMACY in result) == (shown, shown)


def test_the_guardian_pays_by_the_link_and_sees_no_more_than_by_the_account(
    still_clock: clock.FrozenClock,
) -> None:
    # given a guardian with an account and a ward of 16 without one
    bill = bill_at(16)
    user = payments.user()
    payments.access(bill.patient.guardian, user)
    payments.collect(bill, "pay_link")
    driven(bill)
    # then the link comes to the guardian, opens no items, and the bill's own page stays shut
    assert Notification.objects.get(kind="pay_link").user == user
    browser, token = signed_in(user), bill.pay_link.token
    page = text_of(browser.get(f"/p/{token}"))
    assert "86.40" in page and DRUG not in page
    assert "微信" in text_of(browser.get(f"/p/{token}/pay"))
    assert browser.get(f"/bills/{bill.pk}").status_code == 404


def test_by_signing_in_the_patient_reads_it_all(still_clock: clock.FrozenClock) -> None:
    bill = bill_at(16)
    user = payments.user()
    payments.access(bill.patient, user)
    assert DRUG in text_of(signed_in(user).get(f"/bills/{bill.pk}"))


def test_a_link_that_went_to_a_guardian_shows_no_more_once_the_ward_is_of_age(
    still_clock: clock.FrozenClock,
) -> None:
    # given a link that went to the guardian of somebody who is 18 tomorrow
    bill = bill_at(18)
    bill.patient.birth_date += timedelta(days=1)
    bill.patient.save(update_fields=["birth_date"])
    token = pay_link_offer(invoice=bill).token
    assert DRUG not in text_of(Client().get(f"/p/{token}"))
    # then the same link shows as little the day after
    still_clock.advance(timedelta(days=1))
    page = text_of(Client().get(f"/p/{token}"))
    assert "86.40" in page and DRUG not in page and KEPT in page


@pytest.mark.parametrize("another", [True, False])
def test_a_link_of_the_earlier_guardian_shows_no_lines(
    still_clock: clock.FrozenClock, another: bool
) -> None:
    bill = bill_at(12)
    token = pay_link_offer(invoice=bill).token
    assert DRUG in text_of(Client().get(f"/p/{token}"))
    bill.patient.guardian = patient() if another else None
    bill.patient.save(update_fields=["guardian"])
    page = text_of(Client().get(f"/p/{token}"))
    assert "86.40" in page and DRUG not in page
