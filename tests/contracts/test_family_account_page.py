"""The family account on the phone: one tap, each reason named, ended by the same switch."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from insurance.models import FamilyLink, InsuranceRegion
from patients.models import PatientAccess
from tests.billing.portal_house import signed_in
from tests.contracts.test_family_accounts import MOTHER, THRESHOLD, House, house
from tests.factories import payments

__all__ = ["house"]
pytestmark = pytest.mark.django_db(transaction=True)
PAGE = "/family/insurance"


def text(answer: Any) -> str:
    return answer.content.decode()


@pytest.fixture
def phone(house: House) -> Client:
    user = payments.user()
    payments.access(house.mother, user)
    payments.access(house.child, user, "child")
    return signed_in(user)


def switch(house: House) -> str:
    return f"{PAGE}/{PatientAccess.objects.get(patient=house.child).pk}"


def test_a_child_is_paid_for_by_one_tap_and_let_go_by_another(house: House, phone: Client) -> None:
    assert PAGE in text(phone.get("/family"))
    page = text(phone.get(PAGE))
    assert "您的医保账户没有替家人支付" in page and "5,008.80" in page and "陈安" not in page
    answer = phone.post(switch(house), {"on": "1"})
    assert answer.status_code == 303 and answer["Location"].startswith(PAGE)
    assert "结算时可用您的医保账户支付" in text(phone.get(PAGE))
    phone.post(switch(house), {"on": "0"})
    assert FamilyLink.objects.get().ended_at is not None
    assert "您的医保账户没有替家人支付" in text(phone.get(PAGE))


def test_what_keeps_the_account_from_paying_is_named_and_checked_again(
    house: House, phone: Client
) -> None:
    house.enrol(MOTHER, "陈秀兰", balance_fen=THRESHOLD)
    phone.post(switch(house), {"on": "1"})
    page = text(phone.get(PAGE))
    assert "已绑定，但还不能支付" in page and "您的医保个人账户余额须高" in page
    house.enrol(MOTHER, "陈秀兰", balance_fen=THRESHOLD + 1)
    phone.post(switch(house), {"on": "1"})
    assert "已绑定，但还不能支付" not in text(phone.get(PAGE))


def test_a_refusal_is_said_on_the_page(house: House, phone: Client) -> None:
    house.child.guardian = None
    house.child.save()
    answer = phone.post(switch(house), {"on": "1"})
    assert answer.status_code == 403
    assert "您不是孩子登记的监护人" in text(answer) and "没有任何变更" in text(answer)
    assert phone.post(switch(house), {"on": "0"}).status_code == 404


@pytest.mark.parametrize("sent", [{}, {"on": "2"}, {"on": ["1", "x"]}])
def test_odd_taps_are_no_page(house: House, phone: Client, sent: dict[str, Any]) -> None:
    assert phone.post(switch(house), sent).status_code == 404
    assert phone.post(f"{PAGE}/404404", {"on": "1"}).status_code == 404


def test_nobody_taps_for_a_child_they_may_not_pay_for(house: House, phone: Client) -> None:
    PatientAccess.objects.filter(patient=house.child).update(may_pay=False)
    assert phone.post(switch(house), {"on": "1"}).status_code == 404
    stranger = signed_in(payments.user("p2"))
    assert stranger.post(switch(house), {"on": "1"}).status_code == 404
    assert "先绑定您本人的就诊卡" in text(stranger.get(PAGE))
    assert not FamilyLink.objects.exists()


def test_a_region_without_family_accounts_offers_none(house: House, phone: Client) -> None:
    InsuranceRegion.objects.update(family_accounts=False)
    assert PAGE not in text(phone.get("/family"))
    said, refused = phone.get(PAGE), phone.post(switch(house), {"on": "1"})
    assert (said.status_code, refused.status_code) == (200, 409)
    for page in (text(said), text(refused)):
        assert "本院的医保暂不支持家庭共济" in page and 'href="/family"' in page


def test_the_page_costs_few_statements(house: House, phone: Client) -> None:
    with CaptureQueriesContext(connection) as seen:
        assert phone.get(PAGE).status_code == 200
    assert len(seen) <= 12
