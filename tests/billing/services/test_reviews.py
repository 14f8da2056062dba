"""A question for a person is opened once per reason and row, and the HIS told where it waits."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from billing.models import BillingReview, HisEvent, Invoice, PaymentTransaction, ReviewReason
from billing.services.review_decisions import review_close, review_dismiss
from billing.services.reviews import review_open
from core import clock
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.models import StateChange
from tests.billing.services.bills import (
    APPROVER,
    ASKER,
    REVIEWER,
    ask_back,
    capture_of,
    in_flight,
    paid,
)

pytestmark = pytest.mark.django_db


def asked(bill: Invoice, reason: ReviewReason, **rows: PaymentTransaction) -> BillingReview:
    return review_open(reason=reason, invoice=bill, figures={"ours_fen": 1_000}, by=ASKER, **rows)


def told(bill: Invoice) -> list[dict[str, str]]:
    rows = HisEvent.objects.filter(invoice=bill, type="review").order_by("seq")
    return list(rows.values_list("data", flat=True))


def test_a_question_names_its_reason_its_rows_and_who_opened_it() -> None:
    bill = in_flight()
    row = capture_of(bill)
    review = asked(bill, ReviewReason.AMOUNT_DIFFERS, transaction=row)
    assert (review.invoice, review.transaction, review.notice) == (bill, row, None)
    assert (review.status, review.figures) == ("OPEN", {"ours_fen": 1_000})
    assert (review.opened_by, review.opened_at) == ("his:C1", clock.now())
    assert review.summary


def test_the_same_question_is_opened_once_and_again_after_its_end() -> None:
    bill = in_flight()
    row = capture_of(bill)
    first = asked(bill, ReviewReason.AMOUNT_DIFFERS, transaction=row)
    assert asked(bill, ReviewReason.AMOUNT_DIFFERS, transaction=row) == first
    assert asked(bill, ReviewReason.STATE_DIFFERS, transaction=row) != first
    review_close(review_id=first.pk, by=REVIEWER, comment="asked the channel by phone")
    assert asked(bill, ReviewReason.AMOUNT_DIFFERS, transaction=row) != first
    assert BillingReview.objects.count() == 3


def test_every_transaction_has_its_own_question_and_the_bill_none_beside_it() -> None:
    bill = in_flight()
    deduction, other = capture_of(bill), capture_of(in_flight())
    first = asked(bill, ReviewReason.NOT_ENDED, transaction=deduction)
    assert asked(bill, ReviewReason.NOT_ENDED, transaction=other) != first
    assert asked(bill, ReviewReason.NOT_ENDED) == first
    assert BillingReview.objects.count() == 2


@pytest.mark.parametrize("about", ["transaction", "invoice"])
def test_the_database_refuses_a_second_open_case_of_one_question(about: str) -> None:
    bill = in_flight()
    rows = {"invoice": bill, "transaction": capture_of(bill) if about == "transaction" else None}
    case = {"reason_code": "not_ended", "opened_by": "system:system", "opened_at": clock.now()}
    BillingReview.objects.create(**case, **rows)
    with pytest.raises(IntegrityError, match=f"review_one_open_{about}"), transaction.atomic():
        BillingReview.objects.create(**case, **rows)


@pytest.mark.parametrize("reason", list(ReviewReason))
def test_the_his_hears_only_of_what_keeps_a_bill_from_ending(reason: ReviewReason) -> None:
    bill = in_flight()
    asked(bill, reason, transaction=capture_of(bill))
    asked(bill, reason, transaction=capture_of(bill))
    insured = {"return_dearer", "return_not_settled", "claim_not_reversed", "claim_in_review"}
    heard = reason in {"amount_differs", "not_ended", "state_differs"} | insured
    assert told(bill) == ([{"reason": str(reason)}] if heard else [])


@pytest.mark.parametrize(
    ("decide", "status"), [(review_close, "APPROVED"), (review_dismiss, "REJECTED")]
)
def test_a_decision_is_kept_with_its_words_and_moves_nothing(decide, status) -> None:
    bill = in_flight()
    review = asked(bill, ReviewReason.NOT_ENDED)
    moved = StateChange.objects.exclude(entity="billing.billingreview").count()
    done = decide(review_id=review.pk, by=REVIEWER, comment="  done at the bank  ")
    assert (done.status, done.decided_by) == (status, "staff:reviewer")
    assert "done at the bank" in done.comment
    assert StateChange.objects.exclude(entity="billing.billingreview").count() == moved
    bill.refresh_from_db()
    assert bill.status == "COLLECTING"
    with pytest.raises(Conflict):
        decide(review_id=review.pk, by=REVIEWER, comment="again")


@pytest.mark.parametrize("decide", [review_close, review_dismiss])
@pytest.mark.parametrize("comment", ["", " \n\t"])
def test_a_decision_says_what_was_done(decide, comment: str) -> None:
    review = asked(in_flight(), ReviewReason.NOT_ENDED)
    with pytest.raises(BadInput) as refused:
        decide(review_id=review.pk, by=REVIEWER, comment=comment)
    assert refused.value.field == "comment"
    review.refresh_from_db()
    assert review.status == "OPEN"


def test_who_opened_it_does_not_decide_it() -> None:
    review = asked(in_flight(), ReviewReason.NOT_ENDED)
    with pytest.raises(Forbidden):
        review_close(review_id=review.pk, by=ASKER, comment="mine")
    review.refresh_from_db()
    assert (review.status, review.decided_by) == ("OPEN", None)


def test_a_case_nobody_opened_is_not_found() -> None:
    with pytest.raises(NotFound):
        review_close(review_id=404, by=REVIEWER, comment="x")


def test_a_waiting_return_is_not_closed_like_a_question() -> None:
    returned = ask_back(paid(1_000), approver=None)
    review = BillingReview.objects.get(invoice_return=returned)
    for decide in (review_close, review_dismiss):
        with pytest.raises(Conflict) as refused:
            decide(review_id=review.pk, by=APPROVER, comment="x")
        assert refused.value.code == "is_a_return"
    review.refresh_from_db()
    returned.refresh_from_db()
    assert (review.status, returned.status) == ("OPEN", "REVIEW")
