"""Two records of one person at the window: found, compared, proposed, decided by another."""

from __future__ import annotations

from datetime import date

import pytest

from core.models import AuditEvent
from patients.models import Identifier, Patient, PatientMerge
from tests.billing.desk.people import browser, text
from tests.factories import patients

pytestmark = pytest.mark.django_db
NEW = "/admin/desk/merges/new"


@pytest.fixture
def two() -> tuple[Patient, Patient]:
    kept = patients.patient("M1", number=patients.id_number(1), name="陈秀兰", phone="13812345678")
    return kept, patients.patient("M2", name="陈秀兰", phone="13998765432")


def new(kept: Patient, merged: Patient) -> str:
    return f"{NEW}?kept={kept.pk}&merged={merged.pk}"


def proposed(kept: Patient, merged: Patient) -> PatientMerge:
    browser("cashier").post(new(kept, merged), {"reason": "急诊建档"})
    return PatientMerge.objects.get(merged=merged, status="OPEN")


def test_the_other_record_is_found_by_any_number_and_the_search_is_recorded(
    two: tuple[Patient, Patient],
) -> None:
    kept, twice = two
    clerk = browser("cashier")
    assert "另一份档案" in text(clerk.get(f"/admin/desk/patients/{kept.pk}"))
    page = clerk.post(f"{NEW}?kept={kept.pk}", {"q": "陈秀兰"}).content.decode()
    assert f"kept={kept.pk}&amp;merged={twice.pk}" in page
    assert f"merged={kept.pk}" not in page
    assert "13998765432" not in page
    assert AuditEvent.objects.filter(action="patient_search").count() == 1
    assert "没有" in text(clerk.post(f"{NEW}?kept={kept.pk}", {"q": "M404"}))
    assert clerk.post(f"{NEW}?kept={kept.pk}", {"q": ""}).status_code == 400


def test_the_comparison_is_masked_says_what_differs_and_what_would_move(
    two: tuple[Patient, Patient],
) -> None:
    kept, twice = two
    patients.encounter("E2", of=twice)
    answer = browser("cashier").get(new(kept, twice))
    page = text(answer)
    assert "138****5678" in page and "139****5432" in page and "不一致" in page
    assert kept.id_number not in page and "13812345678" not in page
    assert "就诊 1" in page
    looks = AuditEvent.objects.filter(action="patient_lookup")
    assert {row.subject_id for row in looks} == {str(kept.pk), str(twice.pk)}


@pytest.mark.parametrize(
    ("second", "shown"),
    [((1958, 9, 2), "1958-05-** 1958-09-**"), ((1958, 5, 12), "****-**-02 ****-**-12")],
)
def test_two_dates_of_birth_behind_one_age_are_told_as_far_as_they_differ(
    two: tuple[Patient, Patient], second: tuple[int, int, int], shown: str
) -> None:
    Patient.objects.filter(pk=two[0].pk).update(birth_date=date(1958, 5, 2))
    Patient.objects.filter(pk=two[1].pk).update(birth_date=date(*second))
    page = text(browser("cashier").get(new(*two)))
    assert f"出生日期 {shown} 不一致" in page and "68 岁" not in page
    # And records are called by the numbers people know
    assert "档案 M1 M2" in page and "病历号或就诊卡 1" in page


def test_two_people_join_and_two_part_again(two: tuple[Patient, Patient]) -> None:
    # given a proposal of a cashier
    kept, twice = two
    clerk, reviewer = browser("cashier"), browser("reviewer")
    assert clerk.post(new(kept, twice), {"reason": " "}).status_code == 400
    case = proposed(kept, twice)
    path = f"/admin/desk/merges/{case.pk}"
    assert "陈*兰（M2）并入 陈*兰（M1）" in text(reviewer.get("/admin/desk/merges"))
    # when somebody else agrees, the duplicate's numbers move and its page leads on
    assert reviewer.post(path, {"verdict": "maybe", "comment": "x"}).status_code == 400
    assert reviewer.post(path, {"verdict": "approve", "comment": "核对过"}).status_code == 303
    twice.refresh_from_db()
    assert twice.merged_into_id == kept.pk
    assert set(Identifier.objects.values_list("patient", flat=True)) == {kept.pk}
    assert f"/admin/desk/patients/{kept.pk}" in (
        clerk.get(f"/admin/desk/patients/{twice.pk}").content.decode()
    )
    # then the same person does not part them, another does
    part = {"verdict": "part", "comment": "错"}
    assert reviewer.post(path, part).status_code == 403
    assert browser("reviewer", "second").post(path, part).status_code == 303
    twice.refresh_from_db()
    assert twice.merged_into_id is None
    assert Identifier.objects.get(value="M2").patient_id == twice.pk


def test_a_second_press_leads_to_the_same_case(two: tuple[Patient, Patient]) -> None:
    case = proposed(*two)
    again = browser("cashier").post(new(*two), {"reason": "急诊建档"})
    assert (again.status_code, again["Location"]) == (303, f"/admin/desk/merges/{case.pk}")
    assert PatientMerge.objects.count() == 1
    reviewer, path = browser("reviewer"), f"/admin/desk/merges/{case.pk}"
    agreed = {"verdict": "approve", "comment": "核对过"}
    assert reviewer.post(path, agreed).status_code == 303
    assert reviewer.post(path, agreed).status_code == 409
    assert AuditEvent.objects.filter(action="patient_merged").count() == 2  # one per record


def test_who_proposed_never_decides(two: tuple[Patient, Patient]) -> None:
    # a superuser holds every right, this one included
    chief = browser("admin", "chief")
    path = chief.post(new(*two), {"reason": "急诊建档"})["Location"]
    assert 'name="verdict"' not in chief.get(path).content.decode()
    assert chief.post(path, {"verdict": "approve", "comment": "x"}).status_code == 403
    assert PatientMerge.objects.get().status == "OPEN"


@pytest.mark.parametrize("role", ["cashier", "finance", "auditor", "it"])
def test_nobody_without_the_right_decides(two: tuple[Patient, Patient], role: str) -> None:
    case = proposed(*two)
    answer = browser(role).post(
        f"/admin/desk/merges/{case.pk}", {"verdict": "approve", "comment": "x"}
    )
    assert answer.status_code == 403
    case.refresh_from_db()
    assert case.status == "OPEN"


@pytest.mark.parametrize("role", ["refund_clerk", "reviewer", "finance", "it"])
def test_nobody_without_the_right_proposes(two: tuple[Patient, Patient], role: str) -> None:
    assert browser(role).get(new(*two)).status_code == 403
    assert browser(role).post(new(*two), {"reason": "x"}).status_code == 403
    assert not PatientMerge.objects.exists()


def test_records_of_two_people_cannot_be_proposed(two: tuple[Patient, Patient]) -> None:
    kept, other = two[0], patients.patient(name="李真")
    clerk = browser("cashier")
    assert 'name="reason"' not in clerk.get(new(kept, other)).content.decode()
    assert clerk.post(new(kept, other), {"reason": "x"}).status_code == 409
    assert clerk.post(new(kept, kept), {"reason": "x"}).status_code == 409
    assert clerk.get(f"{NEW}?kept={kept.pk}&merged=999999").status_code == 404
    assert clerk.get(f"{NEW}?kept=999999").status_code == 404
    assert clerk.get("/admin/desk/merges/404404").status_code in (403, 404)
    assert not PatientMerge.objects.exists()
