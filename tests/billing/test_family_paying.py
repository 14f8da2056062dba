"""The family page: limits, what went today and the switches; and the bill that waits at a tag."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from billing.channels.base import Mode
from billing.models import AgreementPatient
from patients.models import PatientAccess
from tests.billing import portal_house as house
from tests.billing.portal_house import text_of
from tests.billing.services.agreement_house import agreed, standing
from tests.factories import patients as people
from tests.factories import payments
from tests.patients.test_tags import location

pytestmark = pytest.mark.django_db
STATEMENTS_MAX = 12


@pytest.fixture(autouse=True)
def chinese() -> Any:
    with translation.override("zh-hans"):
        yield


def test_the_payer_reads_limit_and_what_went_today_for_each_person() -> None:
    # Given an agreement of ¥200 a day for both, and a bill of each paid by it today
    user, own, mother = house.family()
    row = standing(user, [own, mother], own_daily_fen=20_000)
    for person, fen in ((own, 1_100), (mother, 8_640)):
        house.paid(house.bill(person, fen), Mode.AGREEMENT, agreement=row, payer_id=user.pk)
    # When the family is read
    text = text_of(house.signed_in(user).get("/family"))
    # Then the mother's row tells the limit and her sum, not the one of the other person
    assert "李*英，父母" in text
    assert "微信免密每天最多¥200.00今天已支付¥86.40" in text


def test_the_limit_of_one_bill_is_told_where_it_is_the_lower_one() -> None:
    user, own, mother = house.family()
    standing(user, [own, mother], own_single_fen=20_000)
    for page in ("/family", "/agreements"):
        assert "每笔最多¥200.00每天最多" in text_of(house.signed_in(user).get(page))


def test_the_patient_reads_who_pays_and_never_what_went_for_others() -> None:
    # Given a daughter who pays for the reader and for somebody else
    user, own, _mother = house.family()
    daughter, other = payments.user(), people.patient()
    payments.access(own, daughter, "parent")
    payments.access(other, daughter)
    row = standing(daughter, [own, other], own_daily_fen=30_000)
    house.paid(house.bill(other, 7_777), Mode.AGREEMENT, agreement=row, payer_id=daughter.pk)
    # When the reader opens the family
    text = text_of(house.signed_in(user).get("/family"))
    # Then limit and their own sum are there
    assert "微信免密每天最多¥300.00今天已支付¥0.00" in text
    assert "77.77" not in text
    # And a payer who signed nothing is no promise
    AgreementPatient.objects.filter(patient=own).update(active=False)
    assert "没有为您签免密，在手机上付" in text_of(house.signed_in(user).get("/family"))


def test_an_agreement_that_rests_says_so() -> None:
    user, _own, mother = house.family()
    standing(user, [mother], status="PAUSED")
    assert "微信免密，已暂停今天已支付¥0.00" in text_of(house.signed_in(user).get("/family"))


def test_the_payers_switch_stops_one_person_and_takes_them_in_again() -> None:
    # Given two agreements, the second of which pays for the mother
    user, own, mother = house.family()
    agreed(user)
    standing(user, [own])
    row = standing(user, [own, mother], plan=payments.plan(plan_id="2"), preference=2)
    access = PatientAccess.objects.get(user=user, patient=mother)
    marks = AgreementPatient.objects.filter(patient=mother, active=True)
    client = house.signed_in(user)
    # When it is switched off, and off again
    for _ in range(2):
        answer = client.post(f"/family/{access.pk}/pays", {"on": "0"})
        assert (answer.status_code, answer["Location"]) == (303, f"/family#ward-{access.pk}")
        assert not marks.exists()
    assert "不自动扣款，您在手机上付" in text_of(client.get("/family"))
    # Then on again means by the same agreement as before, which goes on for the others too
    client.post(f"/family/{access.pk}/pays", {"on": "1"})
    assert marks.get().agreement == row
    assert AgreementPatient.objects.filter(agreement=row, active=True).count() == 2


def test_who_signed_nothing_is_led_to_sign() -> None:
    user, _own, mother = house.family()
    access = PatientAccess.objects.get(user=user, patient=mother)
    answer = house.signed_in(user).post(f"/family/{access.pk}/pays", {"on": "1"})
    assert (answer.status_code, answer["Location"]) == (303, "/agreements/new")


def test_a_switch_of_nobody_of_mine_is_no_page() -> None:
    user, own, mother = house.family()
    client, theirs = house.signed_in(user), payments.user()
    others = payments.access(mother, theirs, "parent")
    mine = {row.patient_id: row.pk for row in PatientAccess.objects.filter(user=user)}
    for pk in (others.pk, mine[own.pk], 99_999):
        assert client.post(f"/family/{pk}/pays", {"on": "0"}).status_code == 404
    assert client.post(f"/family/{mine[mother.pk]}/pays", {"on": "yes"}).status_code == 404


def test_who_may_not_pay_takes_nobody_in() -> None:
    user, own, mother = house.family()
    standing(user, [own])
    access = PatientAccess.objects.get(user=user, patient=mother)
    PatientAccess.objects.filter(pk=access.pk).update(may_pay=False, may_view=True)
    house.signed_in(user).post(f"/family/{access.pk}/pays", {"on": "1"})
    assert not AgreementPatient.objects.filter(patient=mother).exists()


def test_a_tag_shows_the_bill_that_waits_with_its_sum() -> None:
    # Given no bill at all, nothing is offered
    user, own, _mother = house.family()
    location()
    client = house.signed_in(user)
    assert "待支付" not in text_of(client.get("/t/R208"))
    # When one waits, it is there with its sum and one press away; two are counted and added up
    first = house.bill(own, 8_640)
    page = client.get("/t/R208")
    assert "有1笔待支付" in text_of(page) and "¥86.40" in text_of(page)
    assert f'href="/bills/{first.pk}"' in page.content.decode()
    house.bill(own, 1_000)
    page = client.get("/t/R208")
    assert "有2笔待支付" in text_of(page) and "¥96.40" in text_of(page)
    assert f"/bills?state=to_pay&amp;person={own.pk}" in page.content.decode()


def test_both_pages_ask_the_database_twelve_times_at_most() -> None:
    user, own, mother = house.family()
    location()
    daughter = payments.user()
    payments.access(own, daughter, "parent")
    for holder, plan in ((user, "11"), (user, "12"), (daughter, "13")):
        pays_for = [own, mother] if holder == user else [own]
        standing(holder, pays_for, plan=payments.plan(plan_id=plan))
    house.bill(own)
    client = house.signed_in(user)
    for path in ("/family", "/t/R208"):
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
        assert len(asked) <= STATEMENTS_MAX, [one["sql"][:90] for one in asked]
