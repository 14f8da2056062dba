"""A refused refund: another number only when it is lost and while it is owed, or cash."""

from __future__ import annotations

from typing import Any

import pytest

from billing.channels.base import ChannelAnswer, Operation, Source
from billing.ledger import chart
from billing.ledger.selectors import account_balance, subject_balance
from billing.models import BillingReview, HisEvent
from billing.services.apply import transaction_apply
from billing.services.refunding.refunds import refund_subject
from billing.services.review_decisions import (
    refund_review_hand_out,
    refund_review_reissue,
    review_close,
    review_dismiss,
)
from billing.services.sweeps import transaction_resume
from core.errors import Conflict, Forbidden
from core.outcomes import Outcome
from tests import scripted
from tests.billing.services.bills import (
    ASKER,
    CLEARING,
    COLLEAGUE,
    LOST,
    REVIEWER,
    ask_back,
    capture_of,
    declined,
    paid,
    part,
    refunds_of,
    reissued,
)

pytestmark = pytest.mark.django_db
DONE = ChannelAnswer(Outcome.SUCCEEDED, channel_no="5030001", amount_fen=1_000)


def test_a_declined_refund_is_sent_again_under_a_new_number_for_the_same_debt() -> None:
    # given a refund lost for good
    bill = paid(1_000)
    first = declined(bill)
    assert subject_balance(chart.REFUND_PAYABLE, first.pk) == -1_000
    # when a reviewer sends it again
    scripted.script(Operation.REFUND_QUERY, LOST)
    case = BillingReview.objects.get(reason_code="refund_declined")
    again = refund_review_reissue(review_id=case.pk, by=REVIEWER, comment="已核对")
    # then a new number stands for the first one's debt
    assert again.number != first.number
    assert (again.reissue_of_id, refund_subject(again)) == (first.pk, first.pk)
    case.refresh_from_db()
    assert (case.status, case.invoice_return and case.invoice_return.status) == (
        "APPROVED",
        "ACCEPTED",
    )
    transaction_resume(transaction_id=again.pk)
    assert subject_balance(chart.REFUND_PAYABLE, first.pk) == 0
    assert account_balance(CLEARING) == 0
    bill.refresh_from_db()
    assert bill.status == "REFUNDED"


def test_a_third_number_still_names_the_first_debt() -> None:
    bill = paid(1_000)
    first = declined(bill)
    scripted.script(Operation.REFUND_QUERY, LOST, LOST, LOST)  # of the first, then of both
    second = reissued(transaction_id=first.pk, by=REVIEWER)
    scripted.script(Operation.REFUND, LOST)
    transaction_resume(transaction_id=second.pk)
    third = reissued(transaction_id=second.pk, by=REVIEWER)
    assert refund_subject(third) == first.pk
    with pytest.raises(Conflict) as refused:
        scripted.script(Operation.REFUND_QUERY, LOST, LOST)
        reissued(transaction_id=first.pk, by=REVIEWER)
    assert refused.value.code == "issued_again"


def test_a_number_of_a_debt_that_is_paid_never_leaves() -> None:
    # given a second number, written and not sent, when the first succeeds after all
    bill = paid(1_000)
    first = declined(bill)
    scripted.script(Operation.REFUND_QUERY, LOST, scripted.MISSING)
    case = BillingReview.objects.get(reason_code="refund_declined")
    second = refund_review_reissue(review_id=case.pk, by=REVIEWER, comment="已核对")
    transaction_apply(transaction_id=first.pk, answer=DONE, source=Source.QUERY, asked_of=first)
    scripted.CALLS.clear()
    # when its time to be sent comes
    transaction_resume(transaction_id=second.pk)
    # then it is asked about, not sent, and ends; nobody is asked or told anything further
    assert [verb for verb, _number, _fen in scripted.CALLS] == [Operation.REFUND_QUERY]
    second.refresh_from_db()
    bill.refresh_from_db()
    assert (second.status, second.code, bill.status) == ("CLOSED", "NOT_OWED", "REFUNDED")
    assert (subject_balance(chart.REFUND_PAYABLE, first.pk), account_balance(CLEARING)) == (0, 0)
    assert not BillingReview.objects.filter(status="OPEN").exists()
    told = HisEvent.objects.filter(invoice=bill, type__startswith="refund").order_by("seq")
    assert [event.type for event in told] == [
        "refund_accepted",
        "refund_failed",
        "refund_accepted",
        "refunded",
    ]


def test_a_case_decided_during_the_question_leaves_no_second_number() -> None:
    # given a colleague who hands the money out while the channel is asked
    bill = paid(1_000)
    first = declined(bill)
    case = BillingReview.objects.get(reason_code="refund_declined")

    def meanwhile(_order: object) -> ChannelAnswer:
        scripted.script(Operation.REFUND_QUERY, LOST)
        refund_review_hand_out(review_id=case.pk, by=COLLEAGUE, comment="in cash")
        return LOST

    scripted.script(Operation.REFUND_QUERY, meanwhile)
    # when the first reviewer's question is answered
    with pytest.raises(Conflict):
        refund_review_reissue(review_id=case.pk, by=REVIEWER, comment="已核对")
    # then the cash is the only second number
    assert [row.payment.channel for row in refunds_of(bill)] == ["wechat_pay", "cash"]
    case.refresh_from_db()
    assert case.decided_by == "staff:colleague"
    assert refunds_of(bill)[1].reissue_of_id == first.pk


def test_a_declined_refund_is_handed_out_in_cash_and_booked_so() -> None:
    bill = paid(1_000)
    first = declined(bill)
    scripted.script(Operation.REFUND_QUERY, LOST)
    case = BillingReview.objects.get(reason_code="refund_declined")
    again = refund_review_hand_out(review_id=case.pk, by=REVIEWER, comment="patient signed")
    transaction_resume(transaction_id=again.pk)
    again.refresh_from_db()
    bill.refresh_from_db()
    assert (again.status, bill.status) == ("SUCCEEDED", "REFUNDED")
    assert again.payment.shift is not None
    drawer = chart.cash_drawer(again.payment.shift.shift_no)
    assert (account_balance(drawer), account_balance(CLEARING)) == (-1_000, 1_000)
    assert subject_balance(chart.REFUND_PAYABLE, first.pk) == 0


@pytest.mark.parametrize("close", [review_close, review_dismiss])
def test_what_is_still_owed_is_not_closed_by_a_word(close: Any) -> None:
    bill = paid(1_000)
    first = declined(bill)
    case = BillingReview.objects.get(reason_code="refund_declined")
    with pytest.raises(Conflict) as refused:
        close(review_id=case.pk, by=REVIEWER, comment="paid out in cash")
    assert refused.value.code == "still_owed"
    case.refresh_from_db()
    assert case.status == "OPEN"
    # the channel did it after all: nothing is owed, and nobody need say a word
    transaction_apply(transaction_id=first.pk, answer=DONE, source=Source.QUERY, asked_of=first)
    case.refresh_from_db()
    assert (case.status, first.number in case.comment) == ("WITHDRAWN", True)
    with pytest.raises(Conflict) as refused:
        close(review_id=case.pk, by=REVIEWER, comment="done after all")
    assert refused.value.code == "review_closed"


def test_the_his_hears_of_a_return_sent_again_with_its_whole_amount_and_once() -> None:
    bill = paid(1_000)
    first = declined(bill)
    scripted.script(Operation.REFUND_QUERY, LOST)
    reissued(transaction_id=first.pk, by=REVIEWER)
    told = HisEvent.objects.filter(invoice=bill, type__startswith="refund").order_by("seq")
    assert [(event.type, event.data["amount_fen"]) for event in told] == [
        ("refund_accepted", 1_000),
        ("refund_failed", 1_000),
        ("refund_accepted", 1_000),
    ]


@pytest.mark.parametrize(
    ("answer", "code"),
    [(scripted.SILENT, "refund_not_lost"), (scripted.PENDING, "refund_not_lost")],
)
def test_while_the_channel_does_not_say_that_it_is_lost_nothing_is_sent(
    answer: ChannelAnswer, code: str
) -> None:
    bill = paid(1_000)
    first = declined(bill)
    scripted.script(Operation.REFUND_QUERY, answer)
    with pytest.raises(Conflict) as refused:
        reissued(transaction_id=first.pk, by=REVIEWER)
    assert refused.value.code == code
    assert len(refunds_of(bill)) == 1


def test_who_asked_for_the_return_does_not_send_it_again() -> None:
    bill = paid(1_000)
    first = declined(bill)
    scripted.script(Operation.REFUND_QUERY, LOST)
    with pytest.raises(Forbidden):
        reissued(transaction_id=first.pk, by=ASKER)
    assert len(refunds_of(bill)) == 1


@pytest.mark.parametrize("made", ["capture", "refund_on_its_way", "nothing"])
def test_only_a_declined_refund_is_sent_again(made: str) -> None:
    bill = paid(1_000, 500)
    ask_back(bill, part(bill, 0))
    rows: dict[str, Any] = {
        "capture": capture_of(bill).pk,
        "refund_on_its_way": refunds_of(bill)[0].pk,
        "nothing": 404_404,
    }
    scripted.script(Operation.REFUND_QUERY, LOST)
    with pytest.raises(Conflict) as refused:
        reissued(transaction_id=rows[made], by=REVIEWER)
    assert refused.value.code == "refund_not_declined"
