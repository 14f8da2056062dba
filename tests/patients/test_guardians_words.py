"""Who pays for a child pays by the guardian's word: it ends with the guardian, and at 18."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from billing.locks import agreements_lock
from core import clock
from core.models import AuditEvent, User
from patients.actors import patient_actor
from patients.models import Notification, Patient, PatientAccess, Relation
from patients.selectors.family import family_of
from patients.services.access import access_grant_set
from patients.services.patients import PatientInput, patient_register
from patients.tasks import end_guardians_words
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import encounter, his_client
from tests.patients.binding_house import Phone, adult, bound, person, phone

__all__ = ["phone"]
pytestmark = pytest.mark.django_db
BORN = date(2014, 3, 10)


@pytest.fixture(autouse=True)
def on_a_day() -> Iterator[None]:
    with clock.freeze(on(date(2026, 11, 20))):
        yield


def on(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))


def ward(phone: Phone) -> tuple[User, Patient, Patient, PatientAccess]:
    """A mother, and the child of 12 she has bound as the guardian on record."""
    user, mother = adult(phone)
    child = person("陈小满", BORN, guardian=mother)
    return user, mother, child, bound(phone, user, child, Relation.CHILD)


def told(kind: str) -> list[tuple[int | None, int]]:
    rows = Notification.objects.filter(kind=kind).order_by("pk")
    return list(rows.values_list("user_id", "patient_id"))


def pays(access: PatientAccess) -> tuple[bool, bool]:
    access.refresh_from_db()
    return access.may_pay, access.by_guardian


def test_from_eighteen_on_nobody_pays_by_the_guardians_word(phone: Phone) -> None:
    # given a mother whose agreement pays for her child
    user, _mother, child, access = ward(phone)
    agreement = payments.agreement(child, holder=user)
    bill = invoice(1_000, of=encounter(of=child))
    assert pays(access) == (True, True)
    assert agreements_lock(bill) == [agreement]
    # when the job runs on the eve of the birthday nothing ends, and on the day it does
    with clock.freeze(on(date(2032, 3, 9))):
        assert end_guardians_words() == 0
        assert pays(access) == (True, True)
    with clock.freeze(on(date(2032, 3, 10))):
        assert end_guardians_words() == 1
        assert end_guardians_words() == 0
        assert pays(access) == (False, False)
        assert agreements_lock(bill) == []
        # then both are told once, and the page says why
        assert told("access_guardian_over") == [(user.pk, child.pk)]
        assert [patient for _user, patient in told("access_ended")] == [child.pk]
        (row,) = family_of(user).i_pay_for
        assert "已满 18 岁" in str(row.over)
    event = AuditEvent.objects.get(action="access_revoked")
    assert (event.actor, event.detail["by_guardian"]) == ("system:system", True)


def test_another_guardian_on_record_ends_what_the_first_allowed(phone: Phone) -> None:
    # given a child of one mother, bound by her
    user, _mother, child, access = ward(phone)
    father_user, father = adult(phone, "陈国")
    number, fathers = (who.identifiers.get().value for who in (child, father))
    # when the HIS names the father
    data = PatientInput(
        child.name, child.id_type, child.id_number, BORN, child.sex, child.phone, fathers
    )
    by = patient_actor(father_user)
    patient_register(client=his_client(), mrn=number, data=data, by=by)
    # then the mother pays no more and both sides know
    assert pays(access) == (False, False)
    assert told("access_guardian_over") == [(user.pk, child.pk)]
    # and the father may allow it again: now by his word
    access_grant_set(user=father_user, access_id=access.pk, grant="pay", granted=True, by=by)
    assert pays(access) == (True, True)


def test_the_word_of_the_person_themselves_stays(phone: Phone) -> None:
    # given a father of age who has let his daughter pay, and the same for a child of 16 by code
    father_user, father = adult(phone, "陈国")
    daughter, _own = adult(phone)
    access = bound(phone, daughter, father, Relation.PARENT)
    assert pays(access) == (True, False)
    by = patient_actor(father_user)
    for granted in (False, True):
        access_grant_set(user=father_user, access_id=access.pk, grant="pay", granted=granted, by=by)
    with clock.freeze(on(date(2036, 3, 10))):
        assert end_guardians_words() == 0
    assert pays(access) == (True, False)


def test_a_child_of_sixteen_that_agreed_by_its_own_code_keeps_its_payer(phone: Phone) -> None:
    user, mother = adult(phone)
    child = person("陈小满", date(2010, 3, 10), guardian=mother, phone="13811110016")
    access = bound(phone, user, child, Relation.CHILD)
    assert pays(access) == (True, False)
    with clock.freeze(on(date(2028, 3, 10))):
        assert end_guardians_words() == 0
    assert pays(access) == (True, False)
