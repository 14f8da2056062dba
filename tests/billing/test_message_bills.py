"""A message about a bill leads to that bill, for whoever may open it and for nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from billing.models import Invoice
from core import clock
from core.models import User
from patients.models import Notification, PatientAccess
from patients.services.notifications import Message, notifications_queue
from tests.billing.portal_house import bill, family, paid, signed_in, text_of
from tests.factories import patients as people
from tests.factories import payments

pytestmark = pytest.mark.django_db


def told(user: User, one: Invoice, kind: str, what: object) -> None:
    """A message of this kind that has left the house for this user."""
    facts = {
        "hospital": "云溪市第一医院",
        "name": "李*英",
        "amount_fen": one.cash_fen,
        "number": "1",
    }
    key = f"{kind}/{what}/{user.pk}"
    with transaction.atomic():
        notifications_queue(
            messages=[Message(key, kind, user.pk, facts)], patient_id=one.patient_id
        )
    Notification.objects.filter(key=key).update(status="SENT", sent_at=clock.now())


def page(user: User) -> str:
    answer = signed_in(user).get("/messages")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_bill_that_waits_is_one_tap_away() -> None:
    user, _own, mother = family()
    one = bill(mother, 8640)
    told(user, one, "pay_link", f"{one.pk}/1")
    assert f'href="/bills/{one.pk}">查看账单并支付' in page(user)


def test_a_bill_that_is_paid_leads_to_its_result() -> None:
    user, own, _mother = family()
    one = bill(own, 8640)
    row = paid(one, payer_id=user.pk)
    told(user, one, "refunded", row.number)
    body = page(user)
    assert body.count(f'href="/bills/{one.pk}/result">查看账单') == 1
    assert "并支付" not in body


def test_who_may_not_open_the_bill_any_more_gets_no_link(still_clock: clock.FrozenClock) -> None:
    # Given a bill of the mother that others paid, and the message of it, two days later
    user, _own, mother = family()
    one = bill(mother, 8640)
    row = paid(one)
    told(user, one, "paid", row.number)
    assert f"/bills/{one.pk}" in page(user)
    still_clock.advance(timedelta(days=2))
    assert f"/bills/{one.pk}" not in page(user)
    # And a bill whose binding has ended leads nowhere at once
    own_bill = bill(_own, 1000)
    told(user, own_bill, "pay_link", f"{own_bill.pk}/1")
    assert f"/bills/{own_bill.pk}" in page(user)
    PatientAccess.objects.filter(user=user).update(
        may_view=False, may_pay=False, ended_at=clock.now(), ended_how="user"
    )
    assert f"/bills/{own_bill.pk}" not in page(user)


def test_a_key_that_names_somebody_elses_bill_opens_nothing() -> None:
    user, _own, _mother = family()
    foreign = bill(people.patient(), 8640)
    row = paid(foreign)
    told(user, foreign, "deducted", row.number)
    told(user, foreign, "pay_link", f"{foreign.pk}/1")
    told(user, foreign, "pay_link", "no-number/1")
    told(user, foreign, "not_deducted", "nobody-gave-this")
    assert "/bills/" not in page(user)


def test_who_may_only_look_is_not_asked_to_pay() -> None:
    people.campus()
    user, father = payments.user(), people.patient()
    payments.access(father, user, "parent", may_view=True, may_pay=False)
    one = bill(father, 8640)
    told(user, one, "pay_link", f"{one.pk}/1")
    body = page(user)
    assert f'href="/bills/{one.pk}">查看账单<' in body


def test_of_themselves_a_reader_reads_the_whole_name_and_of_others_the_masked_one() -> None:
    user, own, mother = family()
    for person in (own, mother):
        one = bill(person, 8640)
        told(user, one, "pay_link", f"{one.pk}/1")
    text = text_of(signed_in(user).get("/messages"))
    assert "王秀兰" in text
    assert "李*英" in text
    assert "李桂英" not in text
