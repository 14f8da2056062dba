"""A declared query or insert does what the queryset does, with a text that never changes."""

from __future__ import annotations

from datetime import date

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.locking import NotLocked, PreparedLock, is_locked
from core.prepared import PreparedQuery, row_insert, rows_insert
from patients.models import Encounter, Identifier, Patient
from tests.factories.patients import campus, encounter, his_client, patient

pytestmark = pytest.mark.django_db

_visits = PreparedQuery(
    lambda patient, number: (
        Encounter.objects.filter(patient=patient, encounter_no=number, kind="outpatient")
        .select_related("patient__guardian", "campus")
        .only("encounter_no", "started_at", "patient__phone", "patient__guardian", "campus__name")
    ),
    *(int, str),
)


def test_rows_come_back_as_the_queryset_gives_them(db: None) -> None:
    visit = encounter(of=patient(phone="13800000001"))
    for _ in range(3):
        (found,) = _visits(visit.patient_id, visit.encounter_no)
        assert (found, found.encounter_no) == (visit, visit.encounter_no)
        assert found.started_at == visit.started_at
        assert found.patient.phone == "13800000001"  # decrypted
        assert found.patient.guardian is None
        assert found.campus.name == visit.campus.name
    with CaptureQueriesContext(connection) as later:
        assert found.department_code == visit.department_code  # what was left out can be read
    assert len(later) == 1
    assert _visits(visit.patient_id, "other") == []


def test_a_value_that_looks_like_sql_stays_a_value() -> None:
    visit = encounter()
    assert _visits(visit.patient_id, "x' OR '1'='1") == []


def test_days_are_values_too() -> None:
    born = PreparedQuery(lambda day: Patient.objects.filter(birth_date=day), date)
    row = patient(birth_date=date(2001, 2, 3))
    assert born(date(2001, 2, 3)) == [row]
    assert born(date(2001, 2, 4)) == []


def test_a_value_the_text_does_not_use_is_refused() -> None:
    forgetful = PreparedQuery(lambda number, _unused: Patient.objects.filter(pk=number), int, int)
    with pytest.raises(TypeError, match="each of its open values"):
        forgetful(1, 2)


def test_a_declared_lock_marks_its_rows_and_wants_a_transaction(transactional_db: None) -> None:
    lock = PreparedLock(Encounter, lambda key: Encounter.objects.filter(pk=key), int)
    visit = encounter()
    with pytest.raises(NotLocked):
        lock.row(visit.pk)
    with transaction.atomic():
        locked = lock.row(visit.pk)
        assert is_locked(locked)
        with pytest.raises(Encounter.DoesNotExist):
            lock.row(visit.pk + 1)
    with transaction.atomic():
        assert not is_locked(locked)


def test_rows_are_inserted_as_save_would() -> None:
    template = patient()
    row = Patient(name="李四", phone="13900000002", created_at=template.created_at)
    assert row_insert(row) is row
    assert row.pk is not None
    assert not row._state.adding
    again = Patient.objects.get(pk=row.pk)
    assert (again.name, again.phone, again.sex) == ("李四", "13900000002", "unknown")


def test_two_rows_are_one_statement() -> None:
    client, at = his_client(), encounter(campus=campus()).created_at
    person = Patient(name="王五", created_at=at)
    number = Identifier(client=client, kind="card", value="77", created_at=at, patient=person)
    with CaptureQueriesContext(connection) as counted:
        rows_insert(person, number, link="patient")
    assert len(counted) == 1
    assert Identifier.objects.get(value="77").patient == person
    assert number.patient_id == person.pk
