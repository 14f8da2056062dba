"""The last six of an ID number find its people, on record, and are kept nowhere in plain."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from billing.desk.search import HITS_MAX, desk_find
from core.models import AuditEvent
from patients.models import Patient
from tests.billing.desk.people import browser, text
from tests.factories import patients

pytestmark = pytest.mark.django_db
SEARCH = "/admin/desk/search"
MARCH, APRIL = "110101199003070011", "110101199004070011"


def test_the_end_of_a_number_is_found_only_whole_and_not_of_a_short_number() -> None:
    person = patients.patient(number="11010119900307001X")
    patients.patient(number="G070017")

    assert [(kind, one.pk) for kind, one in desk_find("07001x").people] == [
        ("id_number_tail", person.pk)
    ]
    for typed in ("7001X", "307001X", "070017", "7001XX"):
        assert desk_find(typed).people == (), typed


def test_people_whose_numbers_end_alike_are_listed_masked_and_no_more_than_fit() -> None:
    one, other = (patients.patient(number=number) for number in (MARCH, APRIL))

    page = text(browser("cashier").post(SEARCH, {"q": "070011"}))
    assert "证件号后 6 位" in page and page.count("1101**********0011") == 2
    assert AuditEvent.objects.get(action="patient_search").detail["by"] == ["id_number_tail"]
    assert {one.pk, other.pk} == {row.pk for _kind, row in desk_find("070011").people}

    for n in range(HITS_MAX):
        patients.patient(number=f"1101012000{n:02d}070011")
    found = desk_find("070011")
    assert len(found.people) == HITS_MAX and found.more


def test_who_may_not_search_finds_nobody_by_it() -> None:
    patients.patient(number=MARCH)
    assert browser("it").post(SEARCH, {"q": "070011"}).status_code == 403


def test_a_new_number_is_found_by_its_own_end_and_no_plain_digits_are_stored() -> None:
    person = patients.patient(number=MARCH)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number, id_number_index, id_number_tail FROM patients_patient")
        stored = str(cursor.fetchall())
    assert "070011" not in stored and person.id_number_tail in stored

    person.id_number = ""
    person.save(update_fields=["id_number", "id_number_tail"])
    assert desk_find("070011").people == ()


def test_the_migration_fills_who_was_on_record_and_goes_on_where_it_stopped() -> None:
    migration = import_module("patients.migrations.0019_id_number_tails")
    kept = {patients.patient(number=number).pk for number in (MARCH, APRIL)}
    patients.patient()
    whole = dict(Patient.objects.values_list("pk", "id_number_tail"))
    Patient.objects.update(id_number_tail=None)

    migration.CHUNK = 1
    migration.tails_fill(apps, None)
    assert dict(Patient.objects.values_list("pk", "id_number_tail")) == whole
    Patient.objects.filter(pk=min(kept)).update(id_number_tail=None)
    migration.tails_fill(apps, None)
    assert dict(Patient.objects.values_list("pk", "id_number_tail")) == whole
