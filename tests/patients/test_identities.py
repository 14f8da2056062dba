"""A record number stands for one person: another one is refused, another name is asked about."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core.actors import Actor
from core.errors import Conflict
from core.models import AuditEvent
from patients.models import Patient, PatientReview
from patients.services.reviews import patient_review_close
from tests.factories.patients import encounter, id_number
from tests.patients.test_record_phones import NEW, OLD, account_of, told
from tests.patients.test_registration import register

pytestmark = pytest.mark.django_db
CLERK = Actor("staff", "reviewer", "李志强")
LI = {"name": "李四", "id_number": id_number(77, date(1970, 2, 2)), "birth_date": date(1970, 2, 2)}
PASSPORT = {"id_type": "passport", "id_number": "E12345678"}
RENEWED = {"id_type": "passport", "id_number": "E87654321"}


def as_it_was(patient: Patient) -> dict[str, Any]:
    return Patient.objects.values().get(pk=patient.pk)


def refused(mrn: str, **changes: Any) -> tuple[str, str]:
    """Told again by its own client, with another phone: refused, and nothing is half done."""
    before = list(Patient.objects.order_by("pk").values())
    with pytest.raises(Conflict) as conflict:
        told(mrn, "his", NEW, **changes)
    assert list(Patient.objects.order_by("pk").values()) == before
    assert not PatientReview.objects.exists()
    return conflict.value.code, conflict.value.field


def test_a_record_number_is_not_given_to_another_person() -> None:
    account_of(told("M1", "his", OLD))
    assert refused("M1", **LI) == ("other_person", "id_number")


@pytest.mark.parametrize("changes", [LI, {"id_number": id_number(8)}])
def test_nor_does_a_checked_number_become_another_where_nothing_hangs_on_it(
    changes: dict[str, Any],
) -> None:
    told("M1", "his", OLD)
    assert refused("M1", **changes) == ("other_person", "id_number")


@pytest.mark.parametrize("used", ["visit", "account"])
def test_another_certificate_is_kept_as_it_is_once_the_record_is_used(used: str) -> None:
    patient = told("M1", "his", OLD, **PASSPORT)
    if used == "visit":
        encounter(of=patient)
    else:
        account_of(patient)
    assert refused("M1", **RENEWED) == ("other_person", "id_number")
    assert refused("M1", name="李四", **RENEWED) == ("other_person", "id_number")


def test_before_it_is_used_it_is_corrected_with_an_event() -> None:
    told("M1", "his", OLD, **PASSPORT)
    assert told("M1", "his", OLD, **RENEWED).id_number == "E87654321"
    assert AuditEvent.objects.get().detail == {"fields": ["id_number_index"]}


def test_a_number_left_out_is_not_taken_away_and_lets_no_other_name_in() -> None:
    patient = told("M1", "his", OLD)
    assert told("M1", "his", NEW, id_number="").id_number == id_number(7)
    changes = {**LI, "id_number": "", "birth_date": patient.birth_date}
    assert refused("M1", **changes) == ("other_person", "name")


def test_another_name_under_the_same_number_is_asked_about_once() -> None:
    patient = told("M1", "his", OLD)
    before = as_it_was(patient)
    for _again in range(2):
        answer = register("M1", name="张叁", phone=NEW)
        assert (answer.created, answer.in_review) == (False, True)
    assert as_it_was(patient) == before
    case = PatientReview.objects.get()
    assert (case.patient, case.other, case.told_name) == (patient, patient, "张叁")
    assert (case.reason_code, case.opened_by) == ("same_number_other_name", "his:C1")
    assert told("M1", "his", NEW).phone == NEW


def test_a_name_that_was_agreed_to_is_taken_over() -> None:
    patient = told("M1", "his", OLD)
    register("M1", name="张叁")
    case = PatientReview.objects.get()
    patient_review_close(review_id=case.pk, settled=True, by=CLERK, comment="looked at the card")
    patient.refresh_from_db()
    assert patient.name == "张叁"
    event = AuditEvent.objects.get()
    assert (event.action, event.actor) == ("patient_corrected", "staff:reviewer")
    assert event.detail == {"fields": ["name"], "review": case.pk}
    answer = register("M1", name="张叁", phone=NEW)
    assert (answer.in_review, answer.patient.phone) == (False, NEW)


def test_a_name_that_was_turned_down_is_refused_from_then_on() -> None:
    patient = told("M1", "his", OLD)
    register("M1", name="李四")
    case = PatientReview.objects.get()
    patient_review_close(review_id=case.pk, settled=False, by=CLERK, comment="two people")
    with pytest.raises(Conflict) as conflict:
        register("M1", name="李四")
    assert (conflict.value.code, conflict.value.field) == ("other_person", "name")
    patient.refresh_from_db()
    assert (patient.name, PatientReview.objects.count()) == ("张三", 1)


def test_a_name_written_in_another_way_is_the_same_name() -> None:
    told("M1", "his", OLD, name="Zhang San", **PASSPORT)
    again = register("M1", name="ZHANG  SAN", **PASSPORT)
    assert (again.in_review, again.patient.name) == (False, "ZHANG SAN")


def test_the_kind_of_the_same_number_may_be_corrected() -> None:
    told("M1", "his", OLD, id_type="household")
    assert told("M1", "his", OLD).id_type == "id_card"


@pytest.mark.parametrize("bound", [True, False])
def test_a_newborn_gets_its_name_and_number(bound: bool) -> None:
    told("G", "his", OLD)
    born = date(2026, 11, 1)
    newborn = {"name": "张三之子", "id_number": "", "birth_date": born, "guardian_mrn": "G"}
    child = told("M1", "his", OLD, **newborn)
    encounter(of=child)
    if bound:
        account_of(child, "child")
    named = newborn | {"name": "张小", "id_number": id_number(5, born)}
    answer = register("M1", **named)
    child.refresh_from_db()
    assert (answer.in_review, child.name, child.id_number) == (False, "张小", id_number(5, born))


def test_an_unknown_person_of_an_emergency_becomes_known() -> None:
    someone = told("M1", "his", OLD, name="无名氏", id_number="", birth_date=date(1960, 1, 1))
    encounter(of=someone)
    answer = register("M1", **LI)
    assert (answer.in_review, answer.patient.pk, answer.patient.name) == (False, someone.pk, "李四")


@pytest.mark.parametrize("number", ["", LI["id_number"]])
def test_a_bound_record_without_a_number_becomes_no_other_person(number: str) -> None:
    account_of(told("M1", "his", OLD, id_number=""))
    assert refused("M1", **LI | {"id_number": number}) == ("other_person", "name")


def test_a_bound_record_without_a_number_does_not_change_its_name_unasked() -> None:
    patient = told("M1", "his", OLD, id_number="")
    account_of(patient)
    assert register("M1", name="张叁", id_number="").in_review
    patient.refresh_from_db()
    assert patient.name == "张三"


def test_a_name_of_a_record_joined_to_another_meanwhile_is_not_taken_over() -> None:
    patient = told("M1", "his", OLD)
    register("M1", name="张叁")
    Patient.objects.filter(pk=patient.pk).update(merged_into=told("M9", "his", OLD, **PASSPORT))
    case = PatientReview.objects.get()
    with pytest.raises(Conflict):
        patient_review_close(review_id=case.pk, settled=True, by=CLERK, comment="x")
    case.refresh_from_db()
    assert case.status == "OPEN"
