"""Birth, sex and guardian have an owner too: no other HIS client makes an adult their child."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.errors import BadInput
from core.models import AuditEvent
from patients.models import Patient
from patients.selectors.binding_rules import age_of, binding_refusal, code_phone
from patients.selectors.receivers import record_phone
from tests.factories.patients import his_client, id_number
from tests.patients.test_record_phones import NEW, OLD, account_of, told

pytestmark = pytest.mark.django_db
KID = date(2016, 5, 5)
KID_NUMBER = id_number(8, KID)
BORN, BORN_NEW = "1990-**-**", "2016-**-**"


def events() -> list[tuple[str, dict[str, Any]]]:
    rows = AuditEvent.objects.filter(action__startswith="patient_facts").order_by("pk")
    return [(one.action, one.detail) for one in rows]


def child(mrn: str, client: str, phone: str = OLD, **changes: Any) -> Patient:
    values = {"name": "张小", "id_number": KID_NUMBER, "birth_date": KID} | changes
    return told(mrn, client, phone, **values)


def stranger() -> Patient:
    """A person of another client, with an account of their own."""
    one = told("X", "other", NEW, name="坏人", id_number=id_number(9, date(1985, 1, 1)),
               birth_date=date(1985, 1, 1))  # fmt: skip
    account_of(one)
    return one


@pytest.fixture
def family() -> tuple[Patient, Patient]:
    guardian = told("G", "his", OLD)
    account_of(guardian)
    return guardian, child("K", "his", guardian_mrn="G")


@pytest.mark.parametrize("bound", [True, False])
def test_another_client_takes_no_child_from_its_guardian(
    family: tuple[Patient, Patient], bound: bool
) -> None:
    guardian, ward = family
    if bound:
        account_of(ward, "child")
    x = stranger()
    for _again in range(2):
        child("KK", "other", NEW, guardian_mrn="X")
    ward.refresh_from_db()
    assert (ward.guardian, record_phone(ward)) == (guardian, OLD)
    assert code_phone(ward, age_of(ward) or 0) == OLD
    user = x.access.get().user
    assert binding_refusal(user=user, relation="child", patient=ward) == "not_the_guardian"
    kept = {
        "client": "other",
        "guardian": {
            "old": "张*", "old_id": guardian.pk, "new": "坏*", "new_id": x.pk,
        },
    }  # fmt: skip
    assert events() == [("patient_facts_kept", kept)]


def test_another_client_makes_no_child_of_an_adult_without_a_resident_number() -> None:
    passport = {"id_type": "passport", "id_number": "E12345678"}
    adult = told("M1", "his", OLD, **passport)
    account_of(adult)
    x = stranger()
    told("M2", "other", NEW, birth_date=KID, sex="female", guardian_mrn="X", **passport)
    adult.refresh_from_db()
    assert (adult.birth_date, adult.sex, adult.guardian) == (date(1990, 1, 1), "male", None)
    assert (adult.phone, record_phone(adult)) == (OLD, OLD)
    assert events() == [("patient_facts_kept", {
        "client": "other",
        "birth_date": {"old": BORN, "new": BORN_NEW},
        "sex": {"old": "male", "new": "female"},
        "guardian": {"old": "", "old_id": None, "new": "坏*", "new_id": x.pk},
    })]  # fmt: skip


@pytest.mark.parametrize("held", [True, False])
def test_a_guardian_left_out_by_another_client_stays(held: bool) -> None:
    guardian = told("G", "his", OLD)
    ward = child("K", "his", guardian_mrn="G")
    if held:
        account_of(ward, "child")
    child("KK", "other", sex="unknown")
    ward.refresh_from_db()
    assert (ward.guardian, ward.sex, events()) == (guardian, "male", [])


def test_the_client_that_told_the_facts_corrects_them_with_an_event(
    family: tuple[Patient, Patient],
) -> None:
    guardian, ward = family
    account_of(ward, "child")
    child("K", "his")
    ward.refresh_from_db()
    assert ward.guardian is None
    detail = {"old": "张*", "old_id": guardian.pk, "new": "", "new_id": None}
    assert events() == [("patient_facts_changed", {"client": "his", "guardian": detail})]
    child("K", "his")
    assert len(events()) == 1


def test_before_there_is_an_account_the_last_word_counts_and_is_that_clients() -> None:
    passport = {"id_type": "passport", "id_number": "E12345678"}
    person = told("M1", "his", OLD, **passport)
    told("M2", "other", OLD, birth_date=date(1991, 2, 2), **passport)
    account_of(person)
    told("M1", "his", OLD, **passport)
    person.refresh_from_db()
    assert (person.birth_date, person.facts_client) == (date(1991, 2, 2), his_client("other"))
    assert [action for action, _ in events()] == ["patient_facts_changed", "patient_facts_kept"]


def test_facts_of_before_are_the_only_clients_own(family: tuple[Patient, Patient]) -> None:
    _guardian, ward = family
    Patient.objects.update(facts_client=None)
    child("K", "his")
    ward.refresh_from_db()
    assert (ward.guardian, ward.facts_client) == (None, his_client())


@pytest.mark.parametrize("id_type", ["id_card", "household"])
def test_a_date_of_birth_that_is_not_the_numbers_is_refused(id_type: str) -> None:
    with pytest.raises(BadInput) as refused:
        told("M1", "his", OLD, id_type=id_type, birth_date=KID)
    assert (refused.value.code, refused.value.field) == ("other_birth_date", "birth_date")
    assert not Patient.objects.exists()


def test_nor_may_it_contradict_the_number_that_is_on_record() -> None:
    person = told("M1", "his", OLD)
    with pytest.raises(BadInput) as refused:
        told("M1", "his", OLD, id_number="", birth_date=KID)
    assert refused.value.field == "birth_date"
    person.refresh_from_db()
    assert (person.birth_date, person.id_number) == (date(1990, 1, 1), id_number(7))
