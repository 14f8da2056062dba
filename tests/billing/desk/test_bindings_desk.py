"""Bindings at the window: who sees them, who ends them, what is asked, recorded and told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core import clock
from core.actors import Actor
from core.models import AuditEvent
from patients.models import Notification, Patient, PatientAccess, UserPhone
from patients.services.access import access_end_at_desk
from tests.billing.desk.people import browser, text
from tests.factories import patients, payments

pytestmark = pytest.mark.django_db
MENDER = Actor("staff", "other", "李洁")


@pytest.fixture
def bound() -> PatientAccess:
    """欧阳静, whose account is 陈秀兰's, with a phone."""
    patients.campus("C01")
    person = patients.patient("M9001", number=patients.id_number(1), name="欧阳静")
    holder = payments.user("holder")
    payments.access(patients.patient(name="陈秀兰"), holder)
    UserPhone.objects.create(user=holder, phone="13812345678", verified_at=clock.now())
    return payments.access(person, holder, "parent", may_view=True)


def page_of(patient: Patient) -> str:
    return f"/admin/desk/patients/{patient.pk}/bindings"


def test_the_patients_page_names_who_is_bound_masked(bound: PatientAccess) -> None:
    page = text(browser("cashier").get(f"/admin/desk/patients/{bound.patient_id}"))
    assert "陈*兰" in page and "138****5678" in page
    assert "陈秀兰" not in page and "13812345678" not in page


def test_a_look_at_the_bindings_is_recorded(bound: PatientAccess) -> None:
    answer = browser("cashier").get(page_of(bound.patient))
    assert answer.status_code == 200
    look = AuditEvent.objects.get(action="patient_lookup")
    assert (look.actor, look.subject_id, look.detail) == (
        "staff:cashier", str(bound.patient_id), {"page": "bindings"},
    )  # fmt: skip
    assert "end?access=" not in answer.content.decode()


def test_holders_are_shown_in_the_clear_once_with_a_reason_on_record(bound: PatientAccess) -> None:
    clerk, path = browser("refund_clerk"), page_of(bound.patient)
    assert clerk.post(f"{path}/reveal", {"reason": "curious"}).status_code == 400
    assert not AuditEvent.objects.filter(action="patient_reveal").exists()
    page = text(clerk.post(f"{path}/reveal", {"reason": "call_back"}))
    assert "陈秀兰" in page and "13812345678" in page
    row = AuditEvent.objects.get(action="patient_reveal")
    own = PatientAccess.objects.get(user=bound.user, relation="self")
    assert row.detail == {"reason": "call_back", "page": "bindings", "patients": [own.patient_id]}
    assert "13812345678" not in text(clerk.get(path))


def test_who_may_not_reveal_shows_no_holder(bound: PatientAccess) -> None:
    answer = browser("finance").post(f"{page_of(bound.patient)}/reveal", {"reason": "call_back"})
    assert answer.status_code == 403
    assert "陈秀兰" not in text(answer)


def test_the_page_before_an_end_says_what_it_does(bound: PatientAccess) -> None:
    page = browser("refund_clerk").get(f"{page_of(bound.patient)}/end?access={bound.pk}")
    assert page.status_code == 200
    assert "不能撤回" in text(page) and 'name="reason"' in page.content.decode()
    bound.refresh_from_db()
    assert bound.ended_at is None


def test_a_binding_is_ended_with_a_reason_and_both_are_told(bound: PatientAccess) -> None:
    # given a clerk in front of the question
    clerk, path = browser("refund_clerk"), page_of(bound.patient)
    told = {"access": bound.pk, "reason": "本人到窗口要求"}
    # when the reason is missing, too long, or no text, nothing ends
    for reason in ("", " ", "x" * 201, "a\x00b"):
        assert clerk.post(f"{path}/end", told | {"reason": reason}).status_code == 400
    bound.refresh_from_db()
    assert bound.ended_at is None
    # when it is there, the binding ends
    assert clerk.post(f"{path}/end", told).status_code == 303
    bound.refresh_from_db()
    assert (bound.ended_how, bound.end_reason, bound.may_view, bound.may_pay) == (
        "staff", "本人到窗口要求", False, False,
    )  # fmt: skip
    # then it is on record, the page shows it, and holder and patient are told
    event = AuditEvent.objects.get(action="access_ended")
    assert (event.actor, event.subject_id) == ("staff:refund_clerk", str(bound.patient_id))
    assert "本人到窗口要求" in text(clerk.get(path))
    assert set(Notification.objects.values_list("kind", flat=True)) == {
        "access_taken_back", "access_ended",
    }  # fmt: skip


def test_a_second_press_ends_nothing_again(bound: PatientAccess) -> None:
    clerk, path = browser("refund_clerk"), page_of(bound.patient)
    told = {"access": bound.pk, "reason": "本人到窗口要求"}
    clerk.post(f"{path}/end", told)
    again = clerk.post(f"{path}/end", told | {"reason": "另一个原因"}, follow=True)
    assert "已经解除" in text(again)
    bound.refresh_from_db()
    assert bound.end_reason == "本人到窗口要求"
    assert AuditEvent.objects.filter(action="access_ended").count() == 1


def test_one_that_ended_meanwhile_is_not_asked_about(bound: PatientAccess) -> None:
    access_end_at_desk(access_id=bound.pk, reason="另一窗口", by=MENDER)
    answer = browser("refund_clerk").get(f"{page_of(bound.patient)}/end?access={bound.pk}")
    assert answer.status_code == 303


def test_only_a_binding_of_this_patient_is_ended_here(bound: PatientAccess) -> None:
    other = payments.access(patients.patient(), payments.user())
    clerk, path = browser("refund_clerk"), page_of(bound.patient)
    for access in (other.pk, "no", "", 0, "9" * 30, "-1"):
        told = {"access": access, "reason": "x"}
        assert clerk.post(f"{path}/end", told).status_code == 404
    other.refresh_from_db()
    assert other.ended_at is None


def test_the_end_of_an_own_account_ends_the_childrens_bindings(bound: PatientAccess) -> None:
    own = PatientAccess.objects.select_related("patient").get(user=bound.user, relation="self")
    child = patients.patient(name="小宝", birth_date=clock.today() - timedelta(days=3_000))
    Patient.objects.filter(pk=child.pk).update(guardian=own.patient)
    ward = payments.access(child, bound.user, "child")
    clerk, path = browser("refund_clerk"), page_of(own.patient)
    assert "监护" in text(clerk.get(f"{path}/end?access={own.pk}"))
    clerk.post(f"{path}/end", {"access": own.pk, "reason": "手机被盗"})
    ward.refresh_from_db()
    assert ward.ended_how == "staff"


@pytest.mark.parametrize("role", ["cashier", "reviewer", "finance", "auditor", "it"])
def test_nobody_else_ends_a_binding(bound: PatientAccess, role: str) -> None:
    path = f"{page_of(bound.patient)}/end"
    told = {"access": bound.pk, "reason": "x"}
    assert browser(role).get(path, {"access": bound.pk}).status_code == 403
    assert browser(role).post(path, told).status_code == 403
    bound.refresh_from_db()
    assert bound.ended_at is None
