"""Calls that would hand a person, their bills or their money to somebody else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from billing.ledger.accounts import accounts_forget
from billing.models import Invoice, PaymentTransaction
from billing.services.invoice_drive import invoice_drive
from core.models import AuditEvent
from patients.models import Notification, Patient, PatientAccess, PatientReview
from patients.selectors.receivers import notification_addresses
from tests import scripted
from tests.billing.his.conftest import (
    OPERATOR,
    His,
    charge_body,
    encounter_body,
    patient_body,
)
from tests.billing.his.test_schema import document
from tests.factories import payments
from tests.factories.accounts import patient_user
from tests.factories.patients import TOKEN, his_client, id_number
from tests.patients.binding_house import Phone, begun, phone

__all__ = ["phone"]
pytestmark = pytest.mark.django_db
ADULT, CHILD, OTHER = id_number(7), id_number(8, date(2016, 5, 5)), id_number(9)
LI = {
    "name": "李四",
    "id_number": id_number(77, date(1970, 2, 2)),
    "birth_date": "1970-02-02",
    "phone": "13900000002",
}
OWN_PHONE, OTHER_PHONE = "13800000001", "13900000002"


@pytest.fixture(autouse=True)
def channel(settings: Any) -> None:
    accounts_forget()
    scripted.reset()
    settings.PAYMENT_CHANNELS = {"wechat_pay": "tests.scripted.ScriptedChannel"}


@pytest.fixture
def other(his: His) -> His:
    """Another system of the hospital, with a person X of its own who has an account."""
    his_client("other")
    system = His(f"{TOKEN}-other")
    body = patient_body(name="坏人", id_number=OTHER, phone=OTHER_PHONE)
    assert system("PUT", "patients/X", body)[0] == 201
    payments.access(Patient.objects.get(name="坏人"), patient_user("x"))
    return system


@pytest.fixture
def family(his: His) -> tuple[PatientAccess, PatientAccess]:
    """A guardian G and a child K, both bound by the guardian's account."""
    child = {"name": "张小", "id_number": CHILD, "birth_date": "2016-05-05"}
    assert his("PUT", "patients/G", patient_body(id_number=ADULT))[0] == 201
    body = patient_body(**child, guardian={"mrn": "G"})
    assert his("PUT", "patients/K", body)[0] == 201
    user = patient_user("g")
    people = {one.name: one for one in Patient.objects.all()}
    return (
        payments.access(people["张三"], user),
        payments.access(people["张小"], user, "child"),
    )


def bill(his: His, mrn: str, number: str) -> Invoice:
    assert his("PUT", f"encounters/E{number}", encounter_body(mrn=mrn))[0] == 201
    assert his("PUT", f"encounters/E{number}/charges/C{number}", charge_body())[0] == 201
    body = {"operator": OPERATOR}
    assert his("PUT", f"encounters/E{number}/invoices/I{number}", body)[0] == 201
    return Invoice.objects.get(invoice_no=f"I{number}")


def claimed(other: His, **changes: Any) -> tuple[int, Any]:
    """The other system tells a person it did not record, as a child of its own X."""
    body = patient_body(**changes, phone=OTHER_PHONE, guardian={"mrn": "X"})
    return other("PUT", "patients/V", body)


def test_another_client_makes_no_child_of_an_adult(
    other: His, family: tuple[PatientAccess, PatientAccess], phone: Phone
) -> None:
    guardian = family[0].patient
    status, problem = claimed(other, id_number=ADULT, birth_date="2016-05-05")
    assert (status, problem["errors"][0]["field"]) == (400, "birth_date")
    assert claimed(other, id_number=ADULT)[0] == 201
    guardian.refresh_from_db()
    assert (guardian.guardian, guardian.phone) == (None, OWN_PHONE)
    x = PatientAccess.objects.get(patient__name="坏人").user
    begun(x, guardian, "other")
    assert [one.address for one in phone.sent] == [OWN_PHONE]


def test_another_client_takes_no_child_and_no_code(
    other: His, family: tuple[PatientAccess, PatientAccess], phone: Phone
) -> None:
    child = family[1].patient
    body = {"name": "张小", "id_number": CHILD, "birth_date": "2016-05-05"}
    assert claimed(other, **body)[0] == 201
    child.refresh_from_db()
    assert child.guardian == family[0].patient
    begun(PatientAccess.objects.get(patient__name="坏人").user, child, "child")
    assert phone.sent == []
    kept = AuditEvent.objects.get(action="patient_facts_kept")
    assert (kept.subject_id, kept.detail["guardian"]["new"]) == (str(child.pk), "坏*")
    assert OTHER not in str(kept.detail)


def test_the_pay_link_of_a_child_goes_to_the_guardian(
    his: His, other: His, family: tuple[PatientAccess, PatientAccess]
) -> None:
    PatientAccess.objects.filter(pk=family[1].pk).delete()
    assert claimed(other, name="张小", id_number=CHILD, birth_date="2016-05-05")[0] == 201
    row = bill(his, "K", "9")
    body = {"request_no": "R9", "method": "pay_link", "operator": OPERATOR, "wait_s": 0}
    his("POST", "invoices/I9/collect", body)
    invoice_drive(invoice_id=row.pk)
    told = [one for note in Notification.objects.all() for one in notification_addresses(note)]
    assert [OWN_PHONE in str(one) for one in told] == [True]


@pytest.mark.parametrize("number", [ADULT, ""])
def test_nobody_pays_for_the_next_holder_of_a_record_number(his: His, number: str) -> None:
    assert his("PUT", "patients/M1", patient_body(id_number=number))[0] == 201
    first = Patient.objects.get()
    payments.agreement(first)
    paid = bill(his, "M1", "1")
    status, problem = his("PUT", "patients/M1", patient_body(**LI))
    assert status == 409
    assert problem["errors"][0]["field"] == ("id_number" if number else "name")
    assert "病历号" in problem["detail"]
    first.refresh_from_db()
    paid.refresh_from_db()
    assert (first.name, first.phone, paid.patient) == ("张三", OWN_PHONE, first)

    assert his("PUT", "patients/M2", patient_body(**LI)) == (201, {"mrn": "M2", "in_review": False})
    second = bill(his, "M2", "2")
    body = {"request_no": "R2", "method": "auto", "operator": OPERATOR, "wait_s": 0}
    his("POST", "invoices/I2/collect", body)
    invoice_drive(invoice_id=second.pk)
    second.refresh_from_db()
    assert second.patient.name == "李四"
    assert second.status != "PAID"
    assert not PaymentTransaction.objects.filter(agreement__isnull=False).exists()


def test_a_name_typed_anew_is_in_review_and_answers_the_same_again(his: His) -> None:
    his("PUT", "patients/M1", patient_body(id_number=ADULT))
    body = patient_body(id_number=ADULT, name="张叁")
    for _again in range(2):
        assert his("PUT", "patients/M1", body) == (200, {"mrn": "M1", "in_review": True})
    assert PatientReview.objects.count() == 1
    assert Patient.objects.get().name == "张三"


def test_the_document_names_what_a_put_of_a_patient_refuses() -> None:
    put = document()["paths"]["/api/v1/patients/{mrn}"]["put"]
    assert "other_person" in put["description"]
    assert "other_birth_date" in put["description"]
