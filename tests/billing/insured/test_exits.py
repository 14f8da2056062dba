"""The ways out: the hospital bears a part by the word of two people, or a dearer settlement stands
and the patient pays the rest. Ledger and both counterparties' books say the same afterwards."""

from __future__ import annotations

import pytest

from billing.ledger.selectors import account_balance
from billing.models import BillingReview, Invoice
from billing.services.insuring.deciding import claim_review_again, claim_review_leave
from billing.services.insuring.exits import (
    claim_review_stand,
    exit_approve,
    exit_ask,
    exit_reject,
)
from core.actors import Actor
from core.errors import BadInput, Conflict, Forbidden
from tests.billing.desk.people import browser
from tests.billing.insured.test_differences import HIGHER
from tests.billing.insured.test_returning import part, returned, returned_of
from tests.billing.insured.ward import Ward, entries, even, movements, split_of, told

pytestmark = pytest.mark.django_db
CLERK, REVIEWER = Actor("staff", "clerk", "李窗口"), Actor("staff", "reviewer", "王复核")
BORNE = "revenue_reduction/hospital_part"


@pytest.fixture
def bill(ward: Ward) -> Invoice:
    ward.agreement()
    return ward.paid()


def case_of(reason: str) -> BillingReview:
    return BillingReview.objects.get(reason_code=reason, status="OPEN")


def borne(case: BillingReview, back_fen: int) -> BillingReview:
    return exit_ask(review_id=case.pk, back_fen=back_fen, by=CLERK, comment="医保不再受理")


def unsettled(ward: Ward, bill: Invoice) -> BillingReview:
    """A return whose claim is reversed, and whose rest the insurer refuses: 33.50 are left."""
    ward.fault("presettle", "decline", times=9)
    returned(ward, bill, part(bill, 0))
    assert (bill.status, ward.claim(bill).status) == ("REVIEW", "OPEN")
    return case_of("return_not_settled")


def test_a_return_nobody_settles_again_ends_by_the_word_of_two(ward: Ward, bill: Invoice) -> None:
    # given 43.50 of which 13.98 were paid, and 33.50 left that the insurer refuses
    case = unsettled(ward, bill)
    with pytest.raises(Conflict):
        claim_review_leave(review_id=case.pk, by=REVIEWER, comment="放弃")
    # when the clerk asks that 4.00 go back and the hospital bears the rest
    asked = borne(case, 400)
    assert asked.figures == {
        "paid_fen": 1_398, "back_fen": 400, "bears_fen": 2_352, "why": "医保不再受理",
        "case": case.pk,
    }  # fmt: skip
    with pytest.raises(Conflict):
        borne(case, 400)
    with pytest.raises(Forbidden):
        exit_approve(review_id=asked.pk, by=CLERK, comment="已核对")
    assert len(movements(bill)) == 1
    exit_approve(review_id=asked.pk, by=REVIEWER, comment="同意")
    ward.refund()
    bill.refresh_from_db()
    # then the patient has 4.00 back, the fund owes nothing, and every case is closed
    assert (bill.status, split_of(bill)) == ("PARTLY_REFUNDED", (0, 0, 0, 2_352, 998))
    assert (bill.claim_id, returned_of(bill).status) == (None, "DONE")
    assert movements(bill)[1:] == [("REFUND", "SUCCEEDED", 400)]
    assert account_balance(BORNE) == 2_352
    assert ward.books()["fund"] == 0
    assert not BillingReview.objects.filter(status="OPEN").exists()
    assert told(bill)[-1] == "refunded"
    even(ward, bill)


@pytest.mark.parametrize("back_fen", [-1, 1_399])
def test_no_more_goes_back_than_was_paid(ward: Ward, bill: Invoice, back_fen: int) -> None:
    case = unsettled(ward, bill)
    with pytest.raises(BadInput):
        borne(case, back_fen)
    with pytest.raises(BadInput):
        exit_ask(review_id=case.pk, back_fen=0, by=CLERK, comment=" ")
    assert BillingReview.objects.filter(status="OPEN").count() == 1


def test_who_disagrees_leaves_the_case_open(ward: Ward, bill: Invoice) -> None:
    case = unsettled(ward, bill)
    asked = borne(case, 0)
    exit_reject(review_id=asked.pk, by=REVIEWER, comment="再问医保")
    bill.refresh_from_db()
    assert (bill.status, case_of("return_not_settled")) == ("REVIEW", case)
    assert account_balance(BORNE) == 0
    # asked again of the insurer, it settles after all
    for fault in ward.sandbox.control("GET", "faults"):
        ward.sandbox.control("DELETE", f"faults/{fault['id']}")
    claim_review_again(review_id=case.pk, by=REVIEWER, comment="已核对")
    ward.driven(bill)
    ward.refund()
    bill.refresh_from_db()
    assert bill.status == "PARTLY_REFUNDED"
    even(ward, bill)


def test_a_dearer_rest_that_stands_is_borne_and_the_fund_pays_its_part(
    ward: Ward, bill: Invoice
) -> None:
    # given a rest that 2207 settles dearer than its trial
    ward.fault("settle", "settle_differs", seed=HIGHER)
    returned(ward, bill, part(bill, 2))
    claim = ward.claim(bill)
    assert (bill.status, claim.status) == ("REVIEW", "SETTLED")
    dearer_fen = (claim.settled_cash_fen or 0) - 1_398
    assert dearer_fen > 0
    asked = borne(case_of("return_dearer"), 0)
    assert asked.figures["bears_fen"] == dearer_fen
    exit_approve(review_id=asked.pk, by=REVIEWER, comment="已核对")
    bill.refresh_from_db()
    assert (bill.status, bill.settled_at is not None) == ("PARTLY_REFUNDED", True)
    assert (bill.cash_fen, bill.hospital_part_fen) == (1_398, dearer_fen)
    assert account_balance(BORNE) == dearer_fen
    even(ward, bill)
    # a later return takes back what was borne, and settles anew
    assert returned(ward, bill, refund_no="F2") == "DONE"
    assert (bill.status, account_balance(BORNE)) == ("REFUNDED", 0)
    assert entries(bill).count("hospital_bears_reversed") == 1
    even(ward, bill)


def test_while_the_old_settlement_stands_the_hospital_bears_nothing(
    ward: Ward, bill: Invoice
) -> None:
    ward.fault("settle_reverse", "already_cleared")
    returned(ward, bill, part(bill, 1))
    with pytest.raises(Conflict) as refused:
        borne(case_of("claim_not_reversed"), 100)
    assert refused.value.code == "old_stands"


@pytest.fixture
def stuck(ward: Ward) -> Invoice:
    """An unpaid bill whose settlement is dearer than what was taken, and cannot be taken back."""
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "settle_differs", seed=HIGHER)
    ward.fault("settle_reverse", "already_cleared")
    ward.collect(bill)
    assert (bill.status, ward.claim(bill).status) == ("REVIEW", "SETTLED")
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398)]
    return bill


def test_a_dearer_settlement_stands_and_the_patient_pays_the_rest(
    ward: Ward, stuck: Invoice
) -> None:
    missing_fen = stuck.cash_fen - 1_398
    assert missing_fen > 0
    claim_review_stand(review_id=case_of("claim_not_reversed").pk, by=REVIEWER, comment="患者同意")
    stuck.refresh_from_db()
    assert (stuck.status, len(movements(stuck))) == ("ISSUED", 1)
    # no price runs out any more, and nobody takes the settlement back
    ward.later(7_200)
    ward.driven(stuck)
    assert stuck.status == "ISSUED"
    ward.collect(stuck)
    assert (stuck.status, movements(stuck)[1:]) == ("PAID", [("CAPTURE", "SUCCEEDED", missing_fen)])
    assert entries(stuck).count("claim_settled") == 1
    even(ward, stuck)


def test_a_dearer_settlement_stands_and_the_hospital_bears_the_rest(
    ward: Ward, stuck: Invoice
) -> None:
    missing_fen = stuck.cash_fen - 1_398
    case = case_of("claim_not_reversed")
    with pytest.raises(Conflict):
        claim_review_leave(review_id=case.pk, by=REVIEWER, comment="x")
    asked = borne(case, 0)
    exit_approve(review_id=asked.pk, by=REVIEWER, comment="已核对")
    stuck.refresh_from_db()
    assert (stuck.status, stuck.cash_fen) == ("PAID", 1_398)
    assert account_balance(BORNE) == missing_fen
    assert told(stuck)[-1] == "paid"
    even(ward, stuck)


def test_a_bill_that_stands_is_no_case_twice(ward: Ward, stuck: Invoice) -> None:
    case = case_of("claim_not_reversed")
    asked = borne(case, 0)
    claim_review_stand(review_id=case.pk, by=REVIEWER, comment="患者同意")
    asked.refresh_from_db()
    assert (asked.status, asked.decided_by) == ("REJECTED", REVIEWER.key)
    with pytest.raises(Conflict):
        exit_approve(review_id=asked.pk, by=REVIEWER, comment="已核对")
    with pytest.raises(Conflict):
        claim_review_stand(review_id=case.pk, by=REVIEWER, comment="再一次")
    assert account_balance(BORNE) == 0


def test_at_the_desk_a_clerk_asks_and_a_reviewer_agrees(ward: Ward, bill: Invoice) -> None:
    case = unsettled(ward, bill)
    page = f"/admin/desk/reviews/{case.pk}"
    clerk, reviewer = browser("refund_clerk"), browser("reviewer")
    assert "由医院承担" in clerk.get(page).content.decode()
    assert "由医院承担" not in reviewer.get(page).content.decode()
    form = {"verdict": "bears", "back": "4.00", "comment": "医保不再受理"}
    assert reviewer.post(page, form).status_code == 403
    assert clerk.post(page, form | {"back": "x"}).status_code == 400
    assert clerk.post(page, form | {"back": "99"}).status_code == 400
    assert clerk.post(page, form).status_code == 302
    asked = case_of("hospital_bears")
    shown = reviewer.get(f"/admin/desk/reviews/{asked.pk}").content.decode()
    assert "¥4.00" in shown and "¥23.52" in shown and "bears_fen" not in shown
    decided = {"verdict": "approve", "comment": "同意"}
    assert clerk.post(f"/admin/desk/reviews/{asked.pk}", decided).status_code == 403
    assert reviewer.post(f"/admin/desk/reviews/{asked.pk}", decided).status_code == 302
    ward.refund()
    bill.refresh_from_db()
    assert (bill.status, bill.cash_fen) == ("PARTLY_REFUNDED", 998)
