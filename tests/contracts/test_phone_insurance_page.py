"""Insurance on the reader's own phone, through the pages: allow, one tap, one password, paid."""

from __future__ import annotations

import html
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from billing.models import Invoice
from core import clock
from insurance.models import Claim, InsuranceRegion
from tests.billing.insured.conftest import ward
from tests.billing.insured.phone import Phone, phone_open
from tests.billing.insured.ward import Ward, even, movements, split_of
from tests.billing.portal_house import signed_in, text_of
from tests.contracts.test_pay_pages import WECHAT
from tests.factories import payments
from tests.fixtures.sandbox_process import CLIENT

__all__ = ["ward"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def phone(ward: Ward) -> Phone:
    told = ward.sandbox.nhsa["ec"]
    InsuranceRegion.objects.update(authorise_url=told["authorise_url"])
    phone = phone_open(ward)
    payments.access(ward.visit.patient, phone.user)
    return phone


def pressed(reader: Client, bill: Invoice, way: str) -> str:
    """Press a way of the form as it stands; where that leads."""
    page = reader.get(f"/bills/{bill.pk}/pay").content.decode()
    key = page.split('name="form_key" value="')[1].split('"')[0]
    answer = reader.post(f"/bills/{bill.pk}/pay", {"way": way, "form_key": key})
    onward = answer.headers.get("Refresh", "").partition("url=")[2]
    return str(onward or answer.headers.get("Location", answer.status_code))


def allowed(phone: Phone, reader: Client, bill: Invoice, person: str) -> str:
    """At the insurer's page; the address it leads back to."""
    assert pressed(reader, bill, "insured") == f"/bills/{bill.pk}/insured"
    page = reader.get(f"/bills/{bill.pk}/insured").headers["Location"]
    done = CLIENT.post(page, data={"person": person})
    back = urlsplit(done.headers["location"])
    return f"{back.path}?{back.query}"


def test_allowed_on_the_phone_and_paid_by_one_password(ward: Ward, phone: Phone) -> None:
    bill = ward.priced()
    reader = signed_in(phone.user, WECHAT)
    assert "在这部手机上使用医保" in text_of(reader.get(f"/bills/{bill.pk}/pay"))
    back = allowed(phone, reader, bill, ward.insurer.psn_no)
    assert reader.get(back).headers["Location"] == f"/bills/{bill.pk}"
    ward.driven(bill)
    assert split_of(bill) == (2_452, 500, 0, 0, 1_398)
    # the permission counts once
    assert reader.get(back).headers["Location"] == f"/bills/{bill.pk}/pay"
    assert "微信支付（含医保）" in text_of(reader.get(f"/bills/{bill.pk}/pay"))
    assert pressed(reader, bill, "wechat_pay.mixed") == f"/bills/{bill.pk}/code"
    page = html.unescape(reader.get(f"/bills/{bill.pk}/code").content.decode())
    assert '"mixTradeNo": "mx' in page
    phone.confirmed()
    phone.heard(bill)
    assert (bill.status, movements(bill)) == ("PAID", [("CAPTURE", "SUCCEEDED", 1_398)])
    assert "已支付" in text_of(reader.get(f"/bills/{bill.pk}/result"))
    even(ward, bill)


def test_another_persons_permission_prices_nothing(ward: Ward, phone: Phone) -> None:
    other = ward.sandbox.act(
        "nhsa", "enrol_person", "330300199001010011", name="陈某", sex="male",
        birth_date="1990-01-01",
    )  # fmt: skip
    bill = ward.priced()
    reader = signed_in(phone.user, WECHAT)
    back = allowed(phone, reader, bill, str(other["baseinfo"]["psn_no"]))
    reader.get(back)
    ward.driven(bill)
    assert bill.status == "ISSUED"
    assert Claim.objects.filter(route="MOBILE", status="PRICED").count() == 0
    assert ward.books()["fund"] == 0


def test_whoever_says_no_there_is_back_at_the_ways(ward: Ward, phone: Phone) -> None:
    bill = ward.priced()
    reader = signed_in(phone.user, WECHAT)
    page = reader.get(f"/bills/{bill.pk}/insured").headers["Location"]
    assert parse_qs(urlsplit(page).query)["businessType"] == ["04107"]
    done = CLIENT.post(page, data={"answer": "refuse"})
    back = urlsplit(done.headers["location"])
    answer = reader.get(f"{back.path}?{back.query}")
    assert answer.headers["Location"] == f"/bills/{bill.pk}/pay"
    assert [row.route for row in Claim.objects.all()] == ["FSI"]


def test_a_permission_nobody_asked_for_is_not_taken(ward: Ward, phone: Phone) -> None:
    bill = ward.priced()
    reader = signed_in(phone.user, WECHAT)
    forged = f"/bills/{bill.pk}/insured/back?outBizNo=EC1&payAuthNo=AUTH1"
    assert reader.get(forged).headers["Location"] == f"/bills/{bill.pk}/pay"
    # nor one that comes too late
    back = allowed(phone, reader, bill, ward.insurer.psn_no)
    with clock.freeze(clock.now() + timedelta(minutes=11)):
        late = reader.get(back)
    assert late.status_code in (302, 303)
    assert [row.route for row in Claim.objects.all()] == ["FSI"]


def test_the_way_stands_where_it_can_be_gone(ward: Ward, phone: Phone) -> None:
    bill = ward.priced()
    words = "在这部手机上使用医保"
    # outside WeChat, or by a relative, nobody is asked for the insured's consent
    assert words not in text_of(signed_in(phone.user).get(f"/bills/{bill.pk}/pay"))
    InsuranceRegion.objects.update(mobile_url="")
    reader = signed_in(phone.user, WECHAT)
    assert words not in text_of(reader.get(f"/bills/{bill.pk}/pay"))
    answer = reader.get(f"/bills/{bill.pk}/insured")
    assert answer.headers["Location"] == f"/bills/{bill.pk}/pay"
