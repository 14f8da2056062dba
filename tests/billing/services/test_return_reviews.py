"""A return that waits for a second person: the case and the return are decided together."""

from __future__ import annotations

import pytest

from billing.ledger.selectors import account_balance
from billing.models import BillingReview, HisEvent, Invoice, InvoiceReturn, ReviewReason
from billing.services.refunding.return_reviews import return_review_approve, return_review_reject
from billing.services.reviews import review_open
from billing.services.sweeps import transaction_resume
from core.actors import Actor
from core.errors import BadInput, Conflict, Forbidden, NotFound, Refusal
from tests.billing.services.bills import (
    APPROVER,
    ASKER,
    CLEARING,
    REVIEWER,
    ask_back,
    in_flight,
    paid,
    part,
    refunds_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def bill() -> Invoice:
    return paid(1_000, 2_000)


def waiting(bill: Invoice, *, approver: Actor | None = None) -> tuple[InvoiceReturn, BillingReview]:
    """A return of the first charge that waits, and its case."""
    returned = ask_back(bill, part(bill, 0), approver=approver)
    return returned, BillingReview.objects.get(invoice_return=returned)


def events(bill: Invoice) -> list[str]:
    return list(
        HisEvent.objects.filter(invoice=bill).order_by("seq").values_list("type", flat=True)
    )


def test_approved_it_is_owed_and_goes_back_to_the_fen(bill: Invoice) -> None:
    returned, review = waiting(bill)
    assert (returned.status, review.reason_code) == ("REVIEW", "return_at_window")
    assert refunds_of(bill) == []
    done = return_review_approve(review_id=review.pk, by=REVIEWER, comment="已核对")
    assert (done.status, done.approver_code) == ("ACCEPTED", "reviewer")
    review.refresh_from_db()
    assert (review.status, review.decided_by) == ("APPROVED", "staff:reviewer")
    assert account_balance("refund_payable") == -1_000
    transaction_resume(transaction_id=refunds_of(bill)[0].pk)
    assert (account_balance("refund_payable"), account_balance(CLEARING)) == (0, 2_000)
    assert events(bill) == ["priced", "paid", "review", "refund_accepted", "refunded"]


def test_rejected_it_frees_its_lines_and_nothing_is_posted(bill: Invoice) -> None:
    returned, review = waiting(bill)
    line = bill.lines.order_by("pk")[0]
    assert (line.returned_fen, line.returned_quantity) == (1_000, 1)
    return_review_reject(review_id=review.pk, by=REVIEWER, comment=" the drug was used ")
    returned.refresh_from_db()
    review.refresh_from_db()
    assert (returned.status, review.status) == ("REJECTED", "REJECTED")
    line.refresh_from_db()
    assert (line.returned_fen, line.returned_quantity) == (0, 0)
    assert (refunds_of(bill), account_balance("refund_payable")) == ([], 0)
    last = HisEvent.objects.filter(invoice=bill).latest("seq")
    assert (last.type, last.data["reason"]) == ("refund_failed", "the drug was used")
    # and the line may be asked for again
    assert ask_back(bill, part(bill, 0), refund_no="F2").status == "ACCEPTED"


def test_a_rejection_says_why(bill: Invoice) -> None:
    returned, review = waiting(bill)
    with pytest.raises(Refusal) as refused:
        return_review_reject(review_id=review.pk, by=REVIEWER, comment="  ")
    assert isinstance(refused.value, BadInput)
    returned.refresh_from_db()
    assert returned.status == "REVIEW"


@pytest.mark.parametrize("decide", ["approve", "reject"])
@pytest.mark.parametrize(
    "by", [ASKER, Actor("staff", "c1", "another spelling")], ids=["maker", "maker_as_staff"]
)
def test_the_maker_decides_nothing(bill: Invoice, by: Actor, decide: str) -> None:
    returned, review = waiting(bill)
    with pytest.raises(Forbidden):
        if decide == "approve":
            return_review_approve(review_id=review.pk, by=by, comment="已核对")
        else:
            return_review_reject(review_id=review.pk, by=by, comment="mine")
    returned.refresh_from_db()
    review.refresh_from_db()
    assert (returned.status, review.status) == ("REVIEW", "OPEN")
    assert refunds_of(bill) == []


def test_above_the_limit_the_first_approver_is_not_the_second() -> None:
    bill = paid(100_001)
    returned, review = waiting(bill, approver=APPROVER)
    assert (returned.status, review.reason_code) == ("REVIEW", "return_above_limit")
    assert review.figures == {"amount_fen": 100_001, "limit_fen": 100_000}
    with pytest.raises(Forbidden):
        return_review_approve(review_id=review.pk, by=APPROVER, comment="已核对")
    done = return_review_approve(review_id=review.pk, by=REVIEWER, comment="已核对")
    # who let it go first stays named
    assert (done.status, done.approver_code) == ("ACCEPTED", "C2")


def test_at_the_limit_one_approver_is_enough() -> None:
    assert ask_back(paid(100_000)).status == "ACCEPTED"
    assert not BillingReview.objects.exists()


def test_a_case_is_decided_once(bill: Invoice) -> None:
    _returned, review = waiting(bill)
    return_review_approve(review_id=review.pk, by=REVIEWER, comment="已核对")
    for again in (return_review_approve, return_review_reject):
        with pytest.raises(Conflict):
            again(review_id=review.pk, by=REVIEWER, comment="again")
    assert len(refunds_of(bill)) == 1


def test_what_is_no_waiting_return_is_refused() -> None:
    bill = in_flight()
    other = review_open(reason=ReviewReason.NOT_ENDED, invoice=bill, figures={})
    with pytest.raises(Conflict) as refused:
        return_review_approve(review_id=other.pk, by=REVIEWER, comment="已核对")
    assert refused.value.code == "not_a_return"
    with pytest.raises(NotFound):
        return_review_approve(review_id=other.pk + 404, by=REVIEWER, comment="已核对")
