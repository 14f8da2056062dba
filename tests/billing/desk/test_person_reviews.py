"""A name told anew for one record: shown beside the record, taken over or turned down."""

from __future__ import annotations

import pytest

from core.models import AuditEvent
from patients.models import Patient, PatientReview
from tests.billing.desk.people import browser, text
from tests.patients.test_registration import register

pytestmark = pytest.mark.django_db


@pytest.fixture
def case() -> PatientReview:
    register("M1")
    register("M1", name="欧阳叁")
    return PatientReview.objects.get()


def test_one_record_is_shown_with_the_name_told(case: PatientReview) -> None:
    answer = browser("reviewer").get(f"/admin/desk/reviews/people/{case.pk}")
    page = text(answer)
    assert answer.status_code == 200
    assert answer.content.decode().count('class="card identity"') == 1
    assert "采用新姓名" in page and "保留原姓名" in page
    assert ("欧阳叁" in page) is ("张三" in page)
    assert "欧" in page
    assert AuditEvent.objects.filter(action="patient_lookup").count() == 1


@pytest.mark.parametrize(("verdict", "name"), [("approve", "欧阳叁"), ("reject", "张三")])
def test_the_decision_is_carried_out(case: PatientReview, verdict: str, name: str) -> None:
    told = {"verdict": verdict, "comment": "核对过身份证"}
    answer = browser("reviewer").post(f"/admin/desk/reviews/people/{case.pk}", told)
    assert answer.status_code == 302
    assert Patient.objects.get().name == name
