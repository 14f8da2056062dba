"""The operator's queue: what waits, with its evidence, decided by a person and on record."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from core.models import StateChange
from insurance.models import Claim, InsuranceMessage, InsuranceReview, StatementDifference
from tests.billing.desk.people import browser
from tests.insurance import factories

pytestmark = pytest.mark.django_db
QUEUE = "/admin/insurance/insurancereview/"


@pytest.fixture
def case() -> InsuranceReview:
    factories.shown_rows()
    return InsuranceReview.objects.get()


@pytest.fixture
def reviewer() -> Client:
    return browser("reviewer")


def text(client: Client, page: str) -> str:
    answer = client.get(page)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def decide(client: Client, case: InsuranceReview, **form: str) -> int:
    return client.post(f"{QUEUE}{case.pk}/decide/", form).status_code


def test_a_claim_shows_its_split_its_exchanges_and_its_course(
    case: InsuranceReview, reviewer: Client
) -> None:
    claim = case.claim
    message = InsuranceMessage.objects.create(
        message_no="P4401000000120261120100000WXYZ", gateway="nhsa", operation="settle",
        code="2207", body_hash="0" * 64, institution=claim.institution, subject=claim.subject,
        created_at=timezone.now(),
    )  # fmt: skip
    page = text(reviewer, f"/admin/insurance/claim/{claim.pk}/change/")
    assert message.message_no in page and "2207" in page and "医保未答复" not in page
    assert "预结算" in page and "¥43.50" in page and "王*" in page and "王芳" not in page
    listed = text(reviewer, "/admin/insurance/claim/?watch=review")
    assert "CB1" in listed or "¥43.50" in listed
    assert "¥43.50" not in text(reviewer, "/admin/insurance/claim/?watch=doubt")


def test_the_queue_holds_what_is_open_and_a_decision_takes_it_away(
    case: InsuranceReview, reviewer: Client
) -> None:
    assert "CB1" in text(reviewer, QUEUE)
    assert "在医保端撤销" in text(reviewer, f"{QUEUE}{case.pk}/change/")
    assert decide(reviewer, case, verdict="look_again", comment="已电话核实") == 302
    case.refresh_from_db()
    assert (case.status, case.comment) == ("APPROVED", "已电话核实")
    assert Claim.objects.get().status == "OPEN"
    change = StateChange.objects.get(entity="insurance.claim")
    assert change.actor.startswith("staff:")
    assert "CB1" not in text(reviewer, QUEUE)
    assert "CB1" in text(reviewer, f"{QUEUE}?case=decided")
    assert "在医保端撤销" not in text(reviewer, f"{QUEUE}{case.pk}/change/")
    # decided twice it is refused in words
    answer = reviewer.post(f"{QUEUE}{case.pk}/decide/", {"verdict": "undo", "comment": "x"},
                           follow=True)  # fmt: skip
    assert InsuranceReview.objects.get().comment == "已电话核实" and answer.status_code == 200


@pytest.mark.parametrize("form", [{}, {"verdict": "undo"}, {"verdict": "x", "comment": "y"}])
def test_nothing_is_decided_without_a_reason(
    case: InsuranceReview, reviewer: Client, form: dict[str, str]
) -> None:
    assert decide(reviewer, case, **form) == 302
    case.refresh_from_db()
    assert case.status == "OPEN"


def test_who_may_only_look_decides_nothing(case: InsuranceReview) -> None:
    auditor = browser("auditor")
    assert "在医保端撤销" not in text(auditor, f"{QUEUE}{case.pk}/change/")
    assert decide(auditor, case, verdict="undo", comment="试") == 403
    assert decide(browser("cashier"), case, verdict="undo", comment="试") == 403


def test_an_unknown_case_is_answered_in_words(case: InsuranceReview, reviewer: Client) -> None:
    for number in ("0", "x", "404404"):
        sent = {"verdict": "undo", "comment": "试"}
        assert reviewer.post(f"{QUEUE}{number}/decide/", sent).status_code == 302


def test_a_difference_stands_beside_both_figures(case: InsuranceReview, reviewer: Client) -> None:
    row = StatementDifference.objects.get()
    page = text(reviewer, f"/admin/insurance/statementdifference/{row.pk}/change/")
    assert "¥43.50" in page and "¥43.51" in page and "金额不一致" in page
    group = text(reviewer, f"/admin/insurance/insurerstatement/{row.statement_id}/change/")
    assert "S1" in group and "¥43.51" in group and "职工医保" in group
    assert "S1" not in text(reviewer, "/admin/insurance/insurerstatement/?result=even")
