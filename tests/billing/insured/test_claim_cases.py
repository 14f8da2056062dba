"""What is decided about a claim is decided for its bill: billing's own case closes by itself."""

from __future__ import annotations

import pytest
from django.db import transaction

from billing.models import BillingReview, Invoice, ReviewReason
from billing.services.insuring.claim_cases import claim_cases_close
from billing.services.reviews import review_open
from billing.tasks import sweep_claims
from core.actors import Actor
from core.locking import lock_row
from core.review import ReviewStatus
from insurance.locks import claim_lock
from insurance.models import InsuranceReason, InsuranceReview
from insurance.services.claims import Decision, claim_review_decide
from insurance.services.claims.reviews import claim_to_review
from tests.billing.insured.phone import Phone, phone_open
from tests.billing.insured.ward import Ward, even

pytestmark = pytest.mark.django_db
REVIEWER = Actor("staff", "reviewer", "李志强")


@pytest.fixture
def phone(ward: Ward) -> Phone:
    return phone_open(ward)


def stuck(ward: Ward, phone: Phone) -> Invoice:
    """The centre says 14 of a bill whose wallet has paid: both sides have an open case."""
    bill = phone.tried(ward.priced())
    phone.confirmed()
    phone.disturb(bill, 14)
    phone.heard(bill)
    assert own_case(bill).status == InsuranceReview.objects.get().status == "OPEN"
    return bill


def own_case(bill: Invoice) -> BillingReview:
    return BillingReview.objects.get(invoice=bill, reason_code=ReviewReason.CLAIM_IN_REVIEW)


def decided(decision: Decision, comment: str) -> None:
    case = InsuranceReview.objects.get(status=ReviewStatus.OPEN)
    claim_review_decide(review_id=case.pk, decision=decision, by=REVIEWER, comment=comment)


def test_a_decision_about_the_claim_closes_the_bills_case(ward: Ward, phone: Phone) -> None:
    bill = stuck(ward, phone)
    phone.disturb(bill, 6)
    decided(Decision.LOOK_AGAIN, "中心已修正")
    sweep_claims()
    case = own_case(bill)
    assert (case.status, case.decided_by) == ("WITHDRAWN", "system:system")
    assert case.comment == "已在医保复核中处理：中心已修正"
    phone.heard(bill, 31)
    assert bill.status == "PAID"
    even(ward, bill)


def test_nothing_closes_while_the_claim_waits_for_its_decision(ward: Ward, phone: Phone) -> None:
    bill = stuck(ward, phone)
    assert claim_cases_close(limit=10) == 0
    assert own_case(bill).status == "OPEN"


def test_the_next_question_about_the_claim_opens_a_case_anew(ward: Ward, phone: Phone) -> None:
    bill = stuck(ward, phone)
    decided(Decision.LOOK_AGAIN, "再问一次")
    assert claim_cases_close(limit=10) == 1
    phone.heard(bill, 31)
    cases = BillingReview.objects.filter(reason_code=ReviewReason.CLAIM_IN_REVIEW).order_by("pk")
    assert [case.status for case in cases] == ["WITHDRAWN", "OPEN"]


def test_a_bill_that_nobody_drives_is_closed_by_the_sweeper(ward: Ward) -> None:
    """A trial that could not be believed leaves the bill to pay: no look comes by any more."""
    bill = ward.priced()
    with transaction.atomic():
        held = lock_row(Invoice.objects.filter(pk=bill.pk))
        claim_to_review(claim_lock(ward.claim(bill).pk), InsuranceReason.SPLIT_BROKEN, "I2")
        review_open(reason=ReviewReason.CLAIM_IN_REVIEW, invoice=held, figures={})
    decided(Decision.LOOK_AGAIN, "医保已更正")
    assert ward.claim(bill).status == "OPEN"
    sweep_claims()
    assert own_case(bill).status == "WITHDRAWN"
    assert (ward.driven(bill).status, bill.cash_fen) == ("ISSUED", 1_398)


def test_other_questions_about_the_bill_stay_open(ward: Ward, phone: Phone) -> None:
    bill = stuck(ward, phone)
    with transaction.atomic():
        held = lock_row(Invoice.objects.filter(pk=bill.pk))
        other = review_open(reason=ReviewReason.NOT_ENDED, invoice=held, figures={})
    decided(Decision.LOOK_AGAIN, "中心已修正")
    assert (claim_cases_close(limit=10), claim_cases_close(limit=10)) == (1, 0)
    other.refresh_from_db()
    assert other.status == "OPEN"
