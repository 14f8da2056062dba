"""Who pays for a child pays by the guardian's word: it ends with the guardian, and at 18."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from billing.locks import agreements_lock
from billing.services.agreements.terms import agreement_people_set
from core import clock
from core.actors import SYSTEM
from core.errors import NotFound
from core.models import AuditEvent, User
from patients.actors import patient_actor
from patients.models import Notification, Patient, PatientAccess, Relation
from patients.selectors.family import family_of
from patients.selectors.merges import merge_refusal
from patients.services import patients as services
from patients.services.access import access_grant_set
from patients.services.patients import PatientInput, patient_register
from patients.tasks import end_guardians_words
from tests.factories import payments
from tests.factories.billing import invoice
from tests.factories.patients import encounter, his_client, patient
from tests.fixtures.waiting import wait_for_lock
from tests.patients.binding_house import Phone, adult, bound, person, phone
from tests.patients.test_people_races import at_once

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


def registered(child: Patient, guardian: Patient) -> None:
    """The HIS names a guardian."""
    number, guardians = (who.identifiers.get().value for who in (child, guardian))
    data = PatientInput(
        *(child.name, child.id_type, child.id_number, child.birth_date, child.sex, child.phone),
        guardian_mrn=guardians,
    )
    patient_register(client=his_client(), mrn=number, data=data, by=SYSTEM)


def allowed(user: User, access: PatientAccess) -> PatientAccess:
    return access_grant_set(
        user=user, access_id=access.pk, grant="pay", granted=True, by=patient_actor(user)
    )


def test_another_guardian_on_record_ends_what_the_first_allowed(phone: Phone) -> None:
    # given a child that its mother has bound, and pays for by an agreement
    user, _mother, child, access = ward(phone)
    agreement = payments.agreement(child, holder=user)
    bill = invoice(1_000, of=encounter(of=child))
    assert agreements_lock(bill) == [agreement]
    # when the HIS names the father
    father_user, father = adult(phone, "陈国")
    registered(child, father)
    # then the mother pays no more and both sides know
    assert pays(access) == (False, False)
    assert told("access_guardian_over") == [(user.pk, child.pk)]
    # and the father may allow it again, by his word; she chooses anew for whom her agreement pays
    allowed(father_user, access)
    assert pays(access) == (True, True)
    assert agreements_lock(bill) == []
    agreement_people_set(
        user=user, agreement_id=agreement.pk, patient_ids=[child.pk], by=patient_actor(user)
    )
    assert agreements_lock(bill) == [agreement]


def test_from_fourteen_on_the_page_names_the_guardian_that_changed(phone: Phone) -> None:
    user, _mother, child, access = ward(phone)
    father_user, father = adult(phone, "陈国")
    with clock.freeze(on(date(2029, 3, 10))):
        registered(child, father)
        (row,) = family_of(user).i_pay_for
        assert "不再是登记的监护人" in str(row.over)
        with pytest.raises(NotFound):  # at 15 the child says so itself
            allowed(father_user, access)


def test_one_record_that_cannot_be_read_keeps_nobody_elses_word(phone: Phone) -> None:
    wards = [ward(phone)[3] for _one in range(2)]
    with connection.cursor() as cursor:
        broken = [wards[0].patient_id]
        cursor.execute("UPDATE patients_patient SET id_number = 'no token' WHERE id = %s", broken)
    with clock.freeze(on(date(2032, 3, 10))):
        end_guardians_words()
    assert pays_of(wards) == [True, False]


def pays_of(rows: list[PatientAccess]) -> list[bool]:
    keys = [row.pk for row in rows]
    found = PatientAccess.objects.filter(pk__in=keys).order_by("pk")
    return list(found.values_list("may_pay", flat=True))


def test_records_of_two_guardians_are_not_joined_while_one_has_bound_the_child(
    phone: Phone,
) -> None:
    _user, _mother, child, _access = ward(phone)
    _father_user, father = adult(phone, "陈国")
    kept = patient(name=child.name, birth_date=BORN, guardian=father, phone=child.phone)
    refusal = merge_refusal(kept, child)
    assert refusal is not None and refusal[0] == "other_guardian"
    Patient.objects.filter(pk=kept.pk).update(guardian=child.guardian)
    kept.refresh_from_db()
    assert merge_refusal(kept, child) is None


@pytest.mark.django_db(transaction=True)
def test_who_was_the_guardian_a_moment_ago_allows_nothing(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a registration that has named the father, and is not committed yet
    user, _mother, child, access = ward(phone)
    _father_user, father = adult(phone, "陈国")
    named = threading.Event()
    ended = services.guardians_words_end

    def slowly(**how: Any) -> None:
        ended(**how)
        named.set()
        wait_for_lock()

    def mother_allows() -> PatientAccess:
        named.wait(10)
        return allowed(user, access)

    monkeypatch.setattr(services, "guardians_words_end", slowly)
    # when the mother allows herself to pay at that moment
    _registered, answer = at_once(lambda: registered(child, father), mother_allows)
    # then she is nobody's guardian any more
    assert isinstance(answer, NotFound)
    assert pays(access) == (False, False)


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
