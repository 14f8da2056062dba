"""A patient without an account is reached by the phone on the hospital's record; once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction

from core import clock
from core.models import User
from patients.messengers.base import SENT, Delivered
from patients.messengers.base import Message as Outgoing
from patients.models import Notification, Patient, PatientAccess
from patients.services import notifications
from patients.services.notifications import (
    Message,
    OwnMessage,
    notifications_queue,
    notifications_send_due,
)
from tests.factories.accounts import patient_user as account
from tests.factories.patients import patient

pytestmark = pytest.mark.django_db
FACTS = {"hospital": "主院区", "name": "张*", "amount_fen": 108640, "number": "000123"}
CHILD_BORN = date(2015, 6, 1)


@pytest.fixture
def sms(monkeypatch: pytest.MonkeyPatch) -> list[Outgoing]:
    """What the gateway is given; nobody here has a WeChat account."""
    sent: list[Outgoing] = []

    class Gateway:
        def send(self, message: Outgoing) -> Delivered:
            sent.append(message)
            return SENT

    monkeypatch.setattr(notifications, "messenger_get", lambda _code: Gateway())
    return sent


def bind(user: User, person: Patient, relation: str = "self") -> User:
    PatientAccess.objects.create(
        user=user,
        patient=person,
        relation=relation,
        may_view=relation == "self",
        may_pay=True,
        created_at=clock.now(),
    )
    return user


def tell_paid(person: Patient, payer: User | None, *, on_record: bool = True) -> None:
    own = OwnMessage(
        "paid/1", "paid", FACTS, but_not=payer.pk if payer else None, on_record=on_record
    )
    deducted = [Message("deducted/1", "deducted", payer.pk, FACTS)] if payer else []
    with transaction.atomic():
        notifications_queue(messages=[own, *deducted], patient_id=person.pk)


def told() -> list[tuple[str, int | None, str]]:
    return sorted(Notification.objects.values_list("kind", "user_id", "messenger"))


def send() -> int:
    return notifications_send_due(now=clock.now(), limit=50)


def test_a_relative_pays_and_the_patient_without_an_account_gets_a_text_message(
    sms: list[Outgoing], django_assert_num_queries: Any
) -> None:
    mother, payer = patient(phone="13800001111"), account("13700002222")
    with django_assert_num_queries(3):  # the statement, and its savepoint's two ends
        tell_paid(mother, payer)
    assert told() == [("deducted", payer.pk, "wechat_template"), ("paid", None, "sms")]
    assert send() == 2
    by_phone = {message.address: message for message in sms}
    assert set(by_phone) == {"13800001111", "13700002222"}
    fields = by_phone["13800001111"].fields
    assert (fields["name"], fields["amount"], fields["hospital"]) == ("张*", "¥1,086.40", "主院区")
    assert set(fields) == {"title", "hospital", "name", "amount", "number", "todo"}


def test_a_patient_with_an_account_gets_no_text_message_besides(sms: list[Outgoing]) -> None:
    mother, payer = patient(phone="13800001111"), account("13700002222")
    own = bind(account("13800001111"), mother)
    tell_paid(mother, payer)
    assert told() == [
        ("deducted", payer.pk, "wechat_template"),
        ("paid", own.pk, "wechat_template"),
    ]


@pytest.mark.parametrize("written", ["13700002222", "137 0000 2222", "+8613700002222"])
def test_a_phone_on_record_that_is_the_payers_own_is_told_once(
    sms: list[Outgoing], written: str
) -> None:
    mother, payer = patient(phone=written), account("13700002222")
    tell_paid(mother, payer)
    assert send() == 1
    assert [message.kind for message in sms] == ["deducted"]
    row = Notification.objects.get(kind="paid")
    assert (row.status, row.last_error, row.due_at) == ("GIVEN_UP", "told already", None)


def test_the_payers_phone_at_the_hospital_counts_like_that_of_the_account(
    sms: list[Outgoing],
) -> None:
    mother, payer = patient(phone="13800001111"), account("13700002222")
    bind(payer, patient(phone="13800001111"))
    tell_paid(mother, payer)
    send()
    assert [message.kind for message in sms] == ["deducted"]


def test_another_fact_of_an_earlier_day_is_no_reason_to_stay_silent(
    sms: list[Outgoing], still_clock: clock.FrozenClock
) -> None:
    mother, payer = patient(phone="13700002222"), account("13700002222")
    tell_paid(mother, payer)
    still_clock.advance(timedelta(days=1))
    link = OwnMessage("pay_link/2", "pay_link", FACTS, link="https://p/t", on_record=True)
    with transaction.atomic():
        notifications_queue(messages=[link], patient_id=mother.pk)
    send()
    assert sorted(message.kind for message in sms) == ["deducted", "pay_link"]


def test_for_a_child_the_account_of_the_guardian_is_told(sms: list[Outgoing]) -> None:
    mother, payer = patient(), account()
    child = patient(birth_date=CHILD_BORN, guardian=mother, phone="13811110000")
    holder = bind(account(), mother)
    tell_paid(child, payer)
    assert told() == [
        ("deducted", payer.pk, "wechat_template"),
        ("paid", holder.pk, "wechat_template"),
    ]


def test_a_guardian_who_paid_is_told_once(sms: list[Outgoing]) -> None:
    mother = patient()
    holder = bind(account(), mother)
    child = patient(birth_date=CHILD_BORN, guardian=mother, phone="13811110000")
    tell_paid(child, holder)
    assert told() == [("deducted", holder.pk, "wechat_template")]


def test_for_a_child_the_phone_of_a_guardian_without_an_account_rings(sms: list[Outgoing]) -> None:
    mother = patient(phone="13822220000")
    child = patient(birth_date=CHILD_BORN, guardian=mother, phone="13811110000")
    tell_paid(child, account())
    send()
    assert "13822220000" in {message.address for message in sms}
    assert "13811110000" not in {message.address for message in sms}


@pytest.mark.parametrize(
    ("born", "reached"),
    [(date(2008, 11, 20), "13811110000"), (date(2008, 11, 21), "13822220000")],
)
def test_from_eighteen_on_it_is_ones_own_phone(
    sms: list[Outgoing], born: date, reached: str
) -> None:
    grown = patient(birth_date=born, guardian=patient(phone="13822220000"), phone="13811110000")
    tell_paid(grown, None)
    send()
    assert [message.address for message in sms] == [reached]


def test_without_a_phone_on_record_nothing_is_queued() -> None:
    tell_paid(patient(phone=""), None)
    assert told() == []


def test_what_asks_for_no_text_message_sends_none() -> None:
    tell_paid(patient(), None, on_record=False)
    assert told() == []


def test_queued_again_it_is_one_message() -> None:
    mother = patient()
    tell_paid(mother, None)
    tell_paid(mother, None)
    assert told() == [("paid", None, "sms")]
