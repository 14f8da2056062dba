"""The wallet hears that the insurance part went back; if it stays silent, a person is told."""

from __future__ import annotations

import pytest
from django.test import Client

from billing.models import BillingReview, MixedOrder
from tests.billing.desk.people import browser
from tests.billing.insured.phone import Phone, phone_open
from tests.billing.insured.ward import Ward

pytestmark = pytest.mark.django_db
LIST = "/admin/billing/mixedorder/"


@pytest.fixture
def phone(ward: Ward) -> Phone:
    return phone_open(ward)


def text(client: Client, page: str) -> str:
    answer = client.get(page)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_wallet_that_stays_silent_reaches_a_person(ward: Ward, phone: Phone) -> None:
    # given an order whose insurance part was taken back
    bill = phone.tried(ward.priced())
    ward.sandbox.fault("capture", "decline", "wechat_pay", times=1)
    phone.confirmed()
    phone.left(bill)
    order = MixedOrder.objects.get()
    number, reviewer = order.transaction.number, browser("reviewer")
    assert number in text(reviewer, f"{LIST}?watch=untold")
    # when the channel says nothing
    silence = ward.sandbox.fault("*", "drop_before", "wechat_pay", times=50)
    assert phone.told() == 1 and not BillingReview.objects.exists()
    ward.later(3_601)
    assert phone.told() == 1
    # then a person is told, once, and the order leads there
    case = BillingReview.objects.get()
    assert (case.reason_code, case.transaction_id) == ("not_ended", order.transaction_id)
    reviewer = browser("reviewer")
    assert number in text(reviewer, f"{LIST}?watch=person")
    shown = text(reviewer, f"{LIST}{order.pk}/change/")
    assert "¥13.98" in shown and "¥29.52" in shown and "/admin/desk/reviews" in shown
    ward.later(60)
    assert phone.told() == 0
    ward.later(601)
    assert phone.told() == 1 and BillingReview.objects.count() == 1
    # and it is still told as soon as the channel answers
    ward.sandbox.control("DELETE", f"faults/{silence}")
    ward.later(601)
    assert phone.told() == 1
    order.refresh_from_db()
    assert order.told_at is not None and order.due_at is None
    assert number not in text(browser("reviewer"), f"{LIST}?watch=untold")
