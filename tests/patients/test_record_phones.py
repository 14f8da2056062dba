"""The phone on record has an owner: another HIS client does not move it from under an account."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from core import clock
from core.actors import Actor
from core.models import AuditEvent, User
from patients.models import Patient, PatientAccess
from patients.services.patients import PatientInput, patient_register
from tests.factories.patients import his_client, id_number

pytestmark = pytest.mark.django_db
BY = Actor("his", "C1", "收费员")
OLD, NEW = "13800000001", "13900000002"


def told(mrn: str, client: str, phone: str, **changes: Any) -> Patient:
    values: dict[str, Any] = {
        "name": "张三",
        "id_type": "id_card",
        "id_number": id_number(7),
        "birth_date": date(1990, 1, 1),
        "sex": "male",
        "phone": phone,
    }
    data = PatientInput(**values | changes)
    return patient_register(client=his_client(client), mrn=mrn, data=data, by=BY).patient


def account_of(patient: Patient, relation: str = "self") -> PatientAccess:
    user = User.objects.create_user(f"user-{patient.pk}-{relation}")
    return PatientAccess.objects.create(
        user=user, patient=patient, relation=relation, may_view=True, created_at=clock.now()
    )


def events() -> list[tuple[str, dict[str, str]]]:
    rows = AuditEvent.objects.filter(action__startswith="patient_phone").order_by("pk")
    return [(one.action, one.detail) for one in rows]


def detail(client: str, old: str = "138****0001", new: str = "139****0002") -> dict[str, str]:
    return {"client": client, "old": old, "new": new}


@pytest.mark.parametrize("relation", ["self", "parent"])
def test_another_client_does_not_move_the_phone_of_an_account(relation: str) -> None:
    patient = told("M1", "his", OLD)
    account_of(patient, relation)
    told("M2", "other", NEW)
    told("M2", "other", NEW)
    patient.refresh_from_db()
    assert patient.phone == OLD
    assert events() == [("patient_phone_kept", detail("other"))]


def test_the_phone_of_a_guardian_holds_the_childs_account_too() -> None:
    told("M1", "his", OLD)
    child = told("M3", "his", OLD, name="张小", id_number="", guardian_mrn="M1")
    account_of(child, "child")
    assert told("M2", "other", NEW).phone == OLD


def test_the_client_that_told_it_corrects_it_with_an_event() -> None:
    account_of(told("M1", "his", OLD))
    told("M2", "other", OLD)
    assert told("M1", "his", NEW).phone == NEW
    assert events() == [("patient_phone_changed", detail("his"))]
    assert told("M1", "his", NEW).phone_index and len(events()) == 1


def test_before_there_is_an_account_the_last_word_counts_and_is_that_clients() -> None:
    told("M1", "his", OLD)
    patient = told("M2", "other", NEW)
    assert (patient.phone, events()) == (NEW, [("patient_phone_changed", detail("other"))])
    account_of(patient)
    assert told("M1", "his", OLD).phone == NEW
    assert events()[1:] == [("patient_phone_kept", detail("his", "139****0002", "138****0001"))]


def test_a_phone_of_before_is_the_only_clients_own() -> None:
    patient = told("M1", "his", OLD)
    Patient.objects.update(phone_client=None)
    account_of(patient)
    assert told("M1", "his", NEW).phone == NEW
    Patient.objects.update(phone_client=None)
    told("M2", "other", NEW)
    assert told("M2", "other", OLD).phone == NEW
    assert [action for action, _ in events()] == ["patient_phone_changed", "patient_phone_kept"]


def test_a_guardians_child_keeps_its_own_rule() -> None:
    told("M1", "his", OLD)
    child = told("M3", "his", OLD, name="张小", id_number="", guardian_mrn="M1")
    assert child.phone_client == his_client("his")
