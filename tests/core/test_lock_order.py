"""The fixture that watches the order of locks sees what it is there to see."""

from __future__ import annotations

import pytest
from django.db import transaction

from core.locking import advisory_lock, lock_row, lock_rows
from patients.models import Encounter, Patient
from tests.factories.patients import encounter
from tests.fixtures.lock_order import LockOrder, lock_order

__all__ = ["lock_order"]

pytestmark = pytest.mark.django_db


def taken(order: LockOrder) -> list[str]:
    """What was found, without where; the fixture itself is to be content at the end."""
    found = [one.partition(":")[0] for one in order.broken]
    order.broken.clear()
    return found


def test_rows_in_the_order_of_the_house_are_fine_and_may_be_taken_again(
    lock_order: LockOrder,
) -> None:
    visit = encounter()
    with transaction.atomic():
        lock_row(Patient.objects.filter(pk=visit.patient_id))
        lock_row(Encounter.objects.filter(pk=visit.pk))
        lock_row(Patient.objects.filter(pk=visit.patient_id))
    assert taken(lock_order) == []


def test_rows_the_other_way_round_are_found_in_one_transaction_only(
    lock_order: LockOrder,
) -> None:
    visit = encounter()
    for _one in range(2):
        with transaction.atomic():
            lock_row(Encounter.objects.filter(pk=visit.pk))
        with transaction.atomic():
            lock_row(Patient.objects.filter(pk=visit.patient_id))
    assert taken(lock_order) == []
    with transaction.atomic():
        lock_row(Encounter.objects.filter(pk=visit.pk))
        with transaction.atomic():
            lock_row(Patient.objects.filter(pk=visit.patient_id))
    assert taken(lock_order) == ["patients.patient after patients.encounter"]


def test_a_query_that_found_nothing_holds_nothing(lock_order: LockOrder) -> None:
    visit = encounter()
    with transaction.atomic():
        lock_rows(Encounter.objects.filter(pk=0))
        lock_row(Patient.objects.filter(pk=visit.patient_id))
    assert taken(lock_order) == []


def test_a_name_goes_before_the_rows_it_guards(lock_order: LockOrder) -> None:
    visit = encounter()
    with transaction.atomic():
        lock_row(Patient.objects.filter(pk=visit.patient_id))
        advisory_lock("patients.patient/1")
    assert taken(lock_order) == ["the name patients.patient after rows of patients.patient"]


def test_two_names_go_the_same_way_everywhere(lock_order: LockOrder) -> None:
    with transaction.atomic():
        advisory_lock("test.first/1")
        advisory_lock("test.second/1")
        advisory_lock("test.first/1")
    assert taken(lock_order) == []
    with transaction.atomic():
        advisory_lock("test.second/1")
        advisory_lock("test.first/1")
    assert taken(lock_order) == ["the name test.first after test.second, elsewhere before it"]
