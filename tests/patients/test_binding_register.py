"""The register changes while a code is on its way: the code proves nothing about what is new."""

from __future__ import annotations

from datetime import date

import pytest

from core.actors import Actor
from core.errors import Conflict
from patients.models import Binding, Patient, PatientAccess, Relation
from patients.services.merges import patient_merge_decide, patient_merge_propose
from tests.factories.accounts import patient_user
from tests.factories.patients import patient
from tests.patients.binding_house import Phone, adult, begun, bound, confirm, person, phone

__all__ = ["phone"]
pytestmark = pytest.mark.django_db
MAKER, CHECKER = Actor("staff", "maker", "甲"), Actor("staff", "checker", "乙")
CHILD = date(2018, 5, 6)


def refused(row: Binding, code: str) -> None:
    with pytest.raises(Conflict, match="register_changed"):
        confirm(row, code)
    row.refresh_from_db()
    assert (row.status, row.outcome, row.code_hash) == ("OVER", "register_changed", "")


def test_a_record_joined_meanwhile_is_not_bound(phone: Phone) -> None:
    user, own = patient_user(), person(phone="13900001111")
    kept = patient(name=own.name, birth_date=own.birth_date, phone="13900002222")
    row = begun(user, own)
    merge = patient_merge_propose(kept_id=kept.pk, merged_id=own.pk, reason="重复", by=MAKER)
    patient_merge_decide(merge_id=merge.pk, agreed=True, by=CHECKER, comment="核对过证件")
    refused(row, phone.code)
    assert not PatientAccess.objects.exists()


def test_another_phone_on_record_meanwhile_needs_its_own_code(phone: Phone) -> None:
    user, own = patient_user(), person(phone="13900001111")
    row = begun(user, own)
    code = phone.code
    Patient.objects.filter(pk=own.pk).update(phone=Patient(phone="13900002222").phone)
    refused(row, code)
    assert not PatientAccess.objects.exists()
    assert bound(phone, user, own).patient == own
    assert phone.sent[-1].address == "13900002222"


def test_a_childs_code_went_to_its_guardians_phone(phone: Phone) -> None:
    user, mother = adult(phone)
    child = person("陈安", CHILD, guardian=mother)
    row = begun(user, child, Relation.CHILD)
    Patient.objects.filter(pk=mother.pk).update(phone=Patient(phone="13900003333").phone)
    refused(row, phone.code)
    assert bound(phone, user, child, Relation.CHILD).relation == Relation.CHILD


def test_a_wrong_code_says_nothing_of_the_register(phone: Phone) -> None:
    row = begun(patient_user(), own := person())
    Patient.objects.filter(pk=own.pk).update(phone=Patient(phone="13900002222").phone)
    with pytest.raises(Exception, match="code_wrong"):
        confirm(row, f"{(int(phone.code) + 1) % 1_000_000:06d}")
