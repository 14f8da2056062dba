"""A question about who somebody is: closed by another person, with words, once; nothing merges."""

from __future__ import annotations

import pytest

from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict, Forbidden, NotFound
from patients.models import Patient, PatientReview
from patients.services.reviews import patient_review_close
from tests.factories.patients import patient

pytestmark = pytest.mark.django_db
CLERK = Actor("staff", "reviewer", "李志强")


@pytest.fixture
def case() -> PatientReview:
    return PatientReview.objects.create(
        patient=patient(name="张三"),
        other=patient(name="李四"),
        reason_code="same_number_other_name",
        opened_by="his:C1",
        opened_at=clock.now(),
    )


@pytest.mark.parametrize(("settled", "status"), [(True, "APPROVED"), (False, "REJECTED")])
def test_it_is_closed_with_words_and_nobody_is_merged(
    case: PatientReview, settled: bool, status: str
) -> None:
    before = list(Patient.objects.order_by("pk").values())
    done = patient_review_close(
        review_id=case.pk, settled=settled, by=CLERK, comment=" two people, checked at the desk "
    )
    done.refresh_from_db()
    assert (done.status, done.decided_by, done.decided_at) == (
        status,
        "staff:reviewer",
        clock.now(),
    )
    assert done.comment == "two people, checked at the desk"
    assert list(Patient.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("comment", ["", "  \n"])
def test_without_words_it_stays_open(case: PatientReview, settled: bool, comment: str) -> None:
    with pytest.raises(BadInput) as refused:
        patient_review_close(review_id=case.pk, settled=settled, by=CLERK, comment=comment)
    assert refused.value.field == "comment"
    case.refresh_from_db()
    assert case.status == "OPEN"


def test_who_opened_it_does_not_close_it(case: PatientReview) -> None:
    with pytest.raises(Forbidden):
        patient_review_close(
            review_id=case.pk, settled=True, by=Actor("his", "C1", "x"), comment="mine"
        )
    case.refresh_from_db()
    assert (case.status, case.decided_by) == ("OPEN", None)


def test_it_is_closed_once(case: PatientReview) -> None:
    patient_review_close(review_id=case.pk, settled=True, by=CLERK, comment="x")
    with pytest.raises(Conflict):
        patient_review_close(review_id=case.pk, settled=False, by=CLERK, comment="y")
    case.refresh_from_db()
    assert (case.status, case.comment) == ("APPROVED", "x")


def test_a_case_nobody_opened_is_not_found() -> None:
    with pytest.raises(NotFound):
        patient_review_close(review_id=404, settled=True, by=CLERK, comment="x")
