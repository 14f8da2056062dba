"""Orders at the centre, to be read: their states in words, and whom they wait for."""

from __future__ import annotations

import pytest
from django.test import Client

from core import clock
from insurance.admin.mobile import order_word
from insurance.admin_words import ORDER_WORDS
from insurance.gateway.mobile.states import ORDER_STATES
from insurance.models import Claim, InsuranceReview, MobileOrder
from tests.billing.desk.people import browser
from tests.factories.insured import mobile_order, settled_claim
from tests.insurance import factories

pytestmark = pytest.mark.django_db
LIST = "/admin/insurance/mobileorder/"


@pytest.fixture
def order() -> MobileOrder:
    return mobile_order(settled_claim(factories.institution()), state="14")


def text(client: Client, page: str) -> str:
    answer = client.get(page)
    assert answer.status_code == 200
    return answer.content.decode()


def asked(claim: Claim) -> InsuranceReview:
    return InsuranceReview.objects.create(
        claim=claim, reason_code="centre_stuck", summary="ordStas 14", opened_at=clock.now(),
        opened_by="system:system",
    )  # fmt: skip


def test_every_state_of_the_centre_has_a_word() -> None:
    assert ORDER_WORDS.keys() == ORDER_STATES.keys()
    assert order_word("20") != order_word("") != order_word("14")


def test_an_order_shows_its_state_and_leads_to_its_case(order: MobileOrder) -> None:
    reviewer = browser("reviewer")
    listed = text(reviewer, LIST)
    assert "状态异常，须由移动支付中心处理" in listed and "王*" in listed and "王芳" not in listed
    assert order.order_no not in text(reviewer, f"{LIST}?centre=person")
    case = asked(order.claim)
    assert order.order_no in text(reviewer, f"{LIST}?centre=person")
    page = text(reviewer, f"{LIST}{order.pk}/change/")
    assert f"/admin/insurance/insurancereview/{case.pk}/change/" in page
    for secret in (order.pay_auth_no, order.pay_token, order.location):
        assert secret not in page


def test_orders_are_found_by_what_is_to_be_done(order: MobileOrder) -> None:
    finance = browser("finance")
    for state, filtered in (("2", "open"), ("3", "open"), ("4", "open"), ("8", "back")):
        MobileOrder.objects.update(state=state)
        found = [name for name in ("open", "back")
                 if order.order_no in text(finance, f"{LIST}?centre={name}")]  # fmt: skip
        assert found == [filtered]
    assert browser("cashier").get(LIST).status_code == 403
