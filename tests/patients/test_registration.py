"""Who is who: joining, reviews, certificate numbers, guardians."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection

from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound
from core.models import AuditEvent
from patients.certificates import certificate_number, phone_number
from patients.models import Identifier, Patient, PatientReview
from patients.selectors import patients_with_id_number
from patients.services.patients import PatientInput, PatientRegistered, patient_register
from tests.factories.patients import his_client, id_number

BY = Actor("his", "C1", "收费员")
NUMBER = id_number(7)

pytestmark = pytest.mark.django_db


def register(mrn: str, client: str = "his", **changes: Any) -> PatientRegistered:
    values: dict[str, Any] = {
        "name": "张三",
        "id_type": "id_card",
        "id_number": NUMBER,
        "birth_date": date(1990, 1, 1),
        "sex": "male",
        "phone": "13800000001",
    }
    data = PatientInput(**values | changes)
    return patient_register(client=his_client(client), mrn=mrn, data=data, by=BY)


def test_the_same_number_and_name_is_the_same_person() -> None:
    first = register("M1")
    second = register("M2", client="other", phone="13900000002")
    assert (first.created, second.created, second.in_review) == (True, True, False)
    assert first.patient == second.patient
    assert Identifier.objects.filter(patient=first.patient).count() == 2
    assert Patient.objects.get().phone == "13900000002"


def test_the_same_number_with_another_name_goes_to_review() -> None:
    first = register("M1")
    second = register("M2", name="李四")
    assert second.in_review
    assert first.patient != second.patient
    case = PatientReview.objects.get()
    assert (case.patient, case.other) == (second.patient, first.patient)
    assert (case.reason_code, case.opened_by, case.status) == (
        "same_number_other_name",
        "his:C1",
        "OPEN",
    )


def test_without_a_number_nobody_is_joined() -> None:
    register("M1", id_number="")
    register("M2", id_number="")
    assert Patient.objects.count() == 2
    assert not PatientReview.objects.exists()


def test_another_kind_of_certificate_is_another_number() -> None:
    register("M1", id_type="passport", id_number="E12345678")
    register("M2", id_type="other", id_number="E12345678")
    assert Patient.objects.count() == 2


def test_registering_again_changes_nothing() -> None:
    register("M1")
    again = register("M1")
    assert (again.created, again.in_review) == (False, False)
    assert Patient.objects.count() == Identifier.objects.count() == 1
    assert not AuditEvent.objects.exists()


def test_a_corrected_name_is_recorded_and_a_taken_number_reviewed_once() -> None:
    register("M1")
    register("M2", id_number="", name="李四")
    corrected = register("M2", name="李四")
    assert corrected.in_review
    assert register("M2", name="李四").patient == corrected.patient
    assert PatientReview.objects.count() == 1
    assert AuditEvent.objects.get().detail == {"fields": ["id_number_index"]}


def test_a_number_given_later_under_the_same_name_is_reviewed_as_two_records() -> None:
    register("M1")
    register("M2", id_number="")
    assert register("M2").in_review
    assert PatientReview.objects.get().reason_code == "same_person_two_records"
    assert Patient.objects.count() == 2


def test_who_a_joined_person_is_cannot_be_changed_by_one_record() -> None:
    register("M1")
    register("M2")
    with pytest.raises(Conflict) as refused:
        register("M2", name="李四")
    assert refused.value.field == "name"
    assert Patient.objects.get().name == "张三"


def test_a_guardian_is_a_known_other_person() -> None:
    register("M1")
    child = register("M2", id_number="", name="张小", guardian_mrn="M1").patient
    assert child.guardian is not None
    assert child.guardian.name == "张三"
    with pytest.raises(NotFound):
        register("M3", id_number="", guardian_mrn="M404")
    with pytest.raises(BadInput):
        register("M2", id_number="", name="张小", guardian_mrn="M2")
    with pytest.raises(BadInput):
        register("M1", guardian_mrn="M2")


def test_personal_data_is_not_readable_in_the_table() -> None:
    register("M1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number, phone, id_number_index FROM patients_patient")
        stored = cursor.fetchone()
    assert NUMBER not in str(stored)
    assert "13800000001" not in str(stored)
    assert patients_with_id_number(id_type="id_card", id_number=NUMBER.lower())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("13800000001", "13800000001"),
        ("+86 138 0000 0001", "13800000001"),
        ("１３８００００００01", "13800000001"),
        ("010-62345678", "010-62345678"),
        ("057712345678", None),
        ("+85291234567", "+85291234567"),
        ("12800000001", None),
        ("138000000011", None),
        ("", None),
        ("+", None),
        ("٣٨٠٠٠٠٠٠٠٠١", None),
    ],
)
def test_a_phone_is_kept_in_one_form(given: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(BadInput):
            phone_number(given)
    else:
        assert phone_number(given) == kept


@pytest.mark.parametrize("wrong", ["", "1", NUMBER[:-1] + "A", NUMBER[:-1], NUMBER + "1"])
def test_a_resident_number_needs_its_checksum(wrong: str) -> None:
    with pytest.raises(BadInput):
        certificate_number(id_type="id_card", value=wrong)


@pytest.mark.parametrize("region", ["330302", "310119", "510202", "512301", "810000", "110101"])
def test_a_resident_number_may_be_of_any_county(region: str) -> None:
    """Old people bear the code of the county that registered them, which may be younger than they
    are or gone since: the register of the hospital knows better than a list of codes."""
    number = id_number(3, date(1948, 2, 29), region)
    assert certificate_number(id_type="id_card", value=number) == number


@pytest.mark.parametrize(
    "wrong",
    [
        id_number(3)[:-1] + ("0" if id_number(3)[-1] != "0" else "1"),  # one digit mistyped
        id_number(3, region="990101"),  # no such province
        id_number(3, date(2027, 1, 1)),  # not born yet
    ],
)
def test_a_resident_number_that_cannot_be_is_a_typing_error(wrong: str) -> None:
    with pytest.raises(BadInput) as refused:
        certificate_number(id_type="id_card", value=wrong)
    assert (refused.value.code, refused.value.field) == ("bad_id_number", "id_number")


def test_a_resident_number_is_kept_in_one_form() -> None:
    ending_in_x = next(n for n in map(id_number, range(1, 200)) if n.endswith("X"))
    assert certificate_number(id_type="id_card", value=f" {ending_in_x.lower()} ") == ending_in_x
