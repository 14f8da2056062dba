"""Who is of age: one rule, by the register's date of birth, on the day of the hospital."""

from __future__ import annotations

from datetime import date, datetime
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from django.apps import apps

from core import clock
from core.actors import Actor
from core.errors import BadInput
from patients.models import Notification, Patient
from patients.selectors.binding_rules import (
    ADULT_FROM,
    age_of,
    age_on,
    binding_refusal,
    minors_born_after,
)
from patients.services.notifications import OwnMessage, notifications_queue
from patients.services.patients import PatientInput, patient_register
from tests.factories.accounts import patient_user
from tests.factories.patients import his_client, id_number, patient

pytestmark = pytest.mark.django_db
SHANGHAI = ZoneInfo("Asia/Shanghai")
BY = Actor("his", "C1", "收费员")


def at(day: date, hour: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, 30, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("today", "born", "minor"),
    [
        (date(2026, 11, 30), date(2008, 11, 30), False),
        (date(2026, 11, 30), date(2008, 12, 1), True),
        (date(2026, 2, 28), date(2008, 2, 29), True),
        (date(2026, 3, 1), date(2008, 2, 29), False),
        (date(2028, 2, 29), date(2010, 2, 28), False),
        (date(2028, 2, 29), date(2010, 3, 1), True),
        (date(2026, 12, 31), date(2008, 12, 31), False),
        (date(2027, 1, 1), date(2009, 1, 2), True),
    ],
)
def test_the_day_for_sql_and_the_age_in_years_agree(today: date, born: date, minor: bool) -> None:
    with clock.freeze(at(today)):
        assert (born > minors_born_after()) is minor
        assert (age_on(born, today) < ADULT_FROM) is minor
        assert age_of(Patient(birth_date=born)) == age_on(born, today)


def test_who_is_born_in_the_future_has_no_age() -> None:
    with clock.freeze(at(date(2026, 11, 20))):
        assert age_of(Patient(birth_date=date(2026, 11, 21))) is None
        assert age_of(Patient()) is None


@pytest.mark.parametrize(("born", "outcome"), [(30, "shared_phone"), (29, "shared_phone")])
def test_another_adult_on_the_phone_counts_to_the_day(born: int, outcome: str) -> None:
    mother = patient(name="陈秀兰", phone="13811110000")
    patient(name="陈小满", phone="13811110000", birth_date=date(2008, 11, born))
    with clock.freeze(at(date(2026, 11, 30))):
        assert binding_refusal(user=patient_user(), relation="self", patient=mother) == outcome
    with clock.freeze(at(date(2026, 11, born - 1), hour=23)):
        assert not binding_refusal(user=patient_user(), relation="self", patient=mother)


def registered(number: str, birth_date: date | None, mrn: str = "M1", **changes: str) -> Patient:
    values = {"name": "陈小满", "id_type": "id_card", "sex": "female", "phone": "13811110000"}
    data = PatientInput(id_number=number, birth_date=birth_date, **values | changes)
    return patient_register(client=his_client(), mrn=mrn, data=data, by=BY).patient


def test_a_resident_number_fills_the_date_of_birth() -> None:
    born = date(2012, 5, 6)
    assert registered(id_number(3, born), None).birth_date == born
    # A later message without number and date takes nothing away.
    patient_register(
        client=his_client(),
        mrn="M1",
        data=PatientInput("陈小满", "id_card", id_number(3, born), None, "female", "13822220000"),
        by=BY,
    )
    assert Patient.objects.get().birth_date == born


def test_a_date_that_contradicts_the_number_makes_nobody_younger() -> None:
    with pytest.raises(BadInput) as caught:
        registered(id_number(3, date(2012, 5, 6)), date(2012, 5, 7))
    assert (caught.value.field, Patient.objects.exists()) == ("birth_date", False)


@pytest.mark.parametrize(("number", "id_type"), [("", "id_card"), ("E12345678", "passport")])
def test_without_a_number_that_carries_it_the_date_is_asked_for(number: str, id_type: str) -> None:
    with pytest.raises(BadInput) as caught:
        registered(number, None, id_type=id_type)
    assert caught.value.field == "birth_date"


def test_a_child_known_by_its_number_is_told_by_the_guardian() -> None:
    child = registered(id_number(3, date(2015, 6, 1)), None)
    guardian = patient(phone="13822220000")
    Patient.objects.filter(pk=child.pk).update(guardian=guardian, phone="", phone_index="")
    own = OwnMessage("paid/1", "paid", {}, on_record=True)
    notifications_queue(messages=[own], patient_id=child.pk)
    assert Notification.objects.get().patient == child


def test_records_from_before_get_their_date_from_the_number() -> None:
    born = date(2015, 6, 1)
    old = patient(number=id_number(3, born), birth_date=None)
    told = patient(number=id_number(4, born), birth_date=date(2015, 6, 2))
    unknown = patient(number="E1234567", birth_date=None, id_type="passport")
    import_module("patients.migrations.0012_birth_dates").births_fill(apps, None)
    for row, wanted in ((old, born), (told, date(2015, 6, 2)), (unknown, None)):
        row.refresh_from_db()
        assert row.birth_date == wanted
