"""Agreements at the window: what pays for a patient, and its end by staff with a reason."""

from __future__ import annotations

import pytest

from billing.models import Agreement, AgreementPatient
from core import clock
from core.models import AuditEvent
from patients.models import Notification, Patient
from tests.billing.desk.people import browser, text
from tests.factories import patients, payments

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed() -> Agreement:
    """陈秀兰 pays for 欧阳静, at a merchant of another campus than the first."""
    patients.campus("C01")
    east = patients.campus("C02", name="东院区")
    mother = patients.patient(name="欧阳静")
    holder = payments.user("holder")
    payments.access(patients.patient(name="陈秀兰"), holder)
    payments.access(mother, holder, "parent")
    plan = payments.plan(payments.merchant("1900000002", campus=east))
    return payments.agreement(mother, holder, plan=plan, own_daily_fen=80_000)


def person_of(row: Agreement) -> Patient:
    return Patient.objects.get(paid_by__agreement=row)


def path_of(row: Agreement, patient: Patient | None = None) -> str:
    return f"/admin/desk/patients/{(patient or person_of(row)).pk}/agreements/end"


def test_the_patients_page_says_what_pays_by_whom_and_how_much(signed: Agreement) -> None:
    page = text(browser("cashier").get(f"/admin/desk/patients/{signed.pays_for.get().patient_id}"))
    for words in ("微信", "陈*兰", "欧*静", "¥ 5,000.00", "¥ 800.00", "¥ 0.00", "已签约", "东院区"):
        assert words in page.replace("¥", "¥ ").replace("¥  ", "¥ "), words
    assert signed.payer_id not in page and "陈秀兰" not in page


def test_beside_the_holder_stands_what_they_are_to_the_patient(signed: Agreement) -> None:
    """A daughter pays for her mother: the binding calls the patient a parent, not the payer."""
    page = text(browser("cashier").get(f"/admin/desk/patients/{signed.pays_for.get().patient_id}"))
    assert "（子女代付）" in page or "(子女代付)" in page
    assert "父母代付" not in page and "（父母）" not in page and "(父母)" not in page
    own = Patient.objects.get(name="陈秀兰")
    assert "代付" not in text(browser("cashier").get(f"/admin/desk/patients/{own.pk}"))


def test_the_holders_own_page_has_it_too_and_a_strangers_has_not(signed: Agreement) -> None:
    clerk = browser("refund_clerk")
    own = Patient.objects.get(name="陈秀兰")
    assert signed.contract_code in text(clerk.get(f"/admin/desk/patients/{own.pk}/bindings"))
    stranger = patients.patient(name="李真")
    page = clerk.get(f"/admin/desk/patients/{stranger.pk}/bindings")
    assert signed.contract_code not in text(page)


def test_it_is_ended_with_a_reason_at_any_campus_and_its_holder_is_told(signed: Agreement) -> None:
    # given a clerk in front of the question, at whatever campus
    clerk, path = browser("refund_clerk"), path_of(signed)
    asked = clerk.get(path, {"agreement": signed.pk})
    assert asked.status_code == 200 and "不能撤回" in text(asked)
    told = {"agreement": signed.pk, "reason": "持有人来电"}
    # when the reason is missing or too long, nothing ends
    for reason in ("", " ", "x" * 201):
        assert clerk.post(path, told | {"reason": reason}).status_code == 400
    signed.refresh_from_db()
    assert signed.status == "ACTIVE"
    # when it is there, nothing is deducted under it any more
    assert clerk.post(path, told).status_code == 303
    signed.refresh_from_db()
    assert (signed.status, signed.ended_how) == ("ENDED", "staff")
    event = AuditEvent.objects.get(action="agreement_ended_at_desk")
    assert (event.actor, event.detail["reason"]) == ("staff:refund_clerk", "持有人来电")
    message = Notification.objects.get(kind="agreement_ended")
    assert message.user_id == signed.holder_id


def test_a_second_press_ends_nothing_again(signed: Agreement) -> None:
    clerk, path = browser("refund_clerk"), path_of(signed)
    told = {"agreement": signed.pk, "reason": "持有人来电"}
    clerk.post(path, told)
    again = clerk.post(path, told, follow=True)
    assert "已经解除" in text(again)
    assert AuditEvent.objects.filter(action="agreement_ended_at_desk").count() == 1
    assert Notification.objects.filter(kind="agreement_ended").count() == 1


def test_only_an_agreement_of_this_patient_is_ended_here(signed: Agreement) -> None:
    clerk, stranger = browser("refund_clerk"), patients.patient(name="李真")
    for key in (signed.pk, "", "no", "9" * 30):
        told = {"agreement": key, "reason": "x"}
        assert clerk.post(path_of(signed, stranger), told).status_code == 404
    signed.refresh_from_db()
    assert signed.status == "ACTIVE"


def test_one_that_pays_for_the_patient_no_more_says_so(signed: Agreement) -> None:
    AgreementPatient.objects.update(active=False)
    page = text(browser("cashier").get(f"/admin/desk/patients/{person_of(signed).pk}/bindings"))
    assert "不为该患者" in page


def test_a_link_that_nobody_signed_is_not_shown(signed: Agreement) -> None:
    Agreement.objects.update(
        status="ENDED", ended_how="not_signed", signed_at=None, ended_at=clock.now()
    )
    page = text(browser("cashier").get(f"/admin/desk/patients/{person_of(signed).pk}/bindings"))
    assert signed.contract_code not in page


@pytest.mark.parametrize("role", ["cashier", "reviewer", "finance", "auditor", "it"])
def test_nobody_else_ends_an_agreement(signed: Agreement, role: str) -> None:
    told = {"agreement": signed.pk, "reason": "x"}
    assert browser(role).get(path_of(signed), {"agreement": signed.pk}).status_code == 403
    assert browser(role).post(path_of(signed), told).status_code == 403
    signed.refresh_from_db()
    assert signed.status == "ACTIVE"
