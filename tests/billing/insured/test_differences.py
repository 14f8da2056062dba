"""What happens when 2207 says something else than 2206, says no, or says nothing."""

from __future__ import annotations

import pytest
from django.db.models import F

from billing.ledger.selectors import account_balance
from billing.models import BillingReview, ChargeItem, PaymentTransaction
from billing.selectors.invoices import invoice_body
from billing.services.collecting.pass_over import tender_pass_over
from billing.services.sweeps import transaction_resume
from core.actors import Actor
from insurance.models import Claim
from tests.billing.insured.ward import Ward, entries, even, movements, split_of, told
from tests.factories import payments

pytestmark = pytest.mark.django_db
SPLIT = (2_452, 500, 0, 0, 1_398)
HIGHER, LOWER = 2, 3


def test_a_lower_cash_part_gives_the_excess_back_at_once(ward: Ward) -> None:
    # given a settlement at 0.70 instead of 0.60: 28.61 from the fund
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "settle_differs", seed=LOWER)
    asked = ward.collect(bill)
    assert (bill.status, ward.answer(asked)["result"]) == ("PAID", "paid")
    assert split_of(bill) == (2_861, 500, 0, 0, 989)
    # the 4.09 that were too much are owed in the same transaction, and go back by themselves
    assert account_balance("refund_payable") == -409
    ward.refund()
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398), ("REFUND", "SUCCEEDED", 409)]
    assert entries(bill) == [
        "invoice_issued", "captured", "claim_settled", "excess_owed", "refund_done",
    ]  # fmt: skip
    body = invoice_body(bill)
    assert (body["paid_fen"], body["due_fen"], bill.status) == (989, 0, "PAID")
    even(ward, bill)


def test_a_higher_cash_part_is_taken_back_and_tried_once_more(ward: Ward) -> None:
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "settle_differs", seed=HIGHER)
    asked = ward.collect(bill)
    ward.ended(bill)
    assert (bill.status, ward.answer(asked)["result"]) == ("PAID", "paid")
    assert split_of(bill) == SPLIT
    ward.refund()
    assert movements(bill) == [
        ("CAPTURE", "SUCCEEDED", 1_398),
        ("REFUND", "SUCCEEDED", 1_398),
        ("CAPTURE", "SUCCEEDED", 1_398),
    ]
    assert entries(bill) == [
        "invoice_issued", "captured", "claim_settled", "claim_reversed", "excess_owed",
        "captured", "claim_settled", "refund_done",
    ]  # fmt: skip
    assert list(Claim.objects.order_by("pk").values_list("status", flat=True)) == [
        "REVERSED", "SETTLED",
    ]  # fmt: skip
    even(ward, bill)


def test_dearer_again_the_patient_is_asked(ward: Ward) -> None:
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "settle_differs", seed=HIGHER, times=2)
    asked = ward.collect(bill)
    ward.ended(bill)
    answer = ward.answer(asked)
    assert (bill.status, answer["result"], answer["reason"]) == (
        "ISSUED", "declined", "price_changed",
    )  # fmt: skip
    ward.refund()
    assert [row[2] for row in movements(bill)] == [1_398] * 4
    assert ward.books()["captured"] == ward.books()["refunded"] == 2_796
    assert invoice_body(bill)["due_fen"] == 1_398
    even(ward, bill)
    # and may be collected again
    ward.collect(bill)
    assert bill.status == "PAID"
    even(ward, bill)


def test_a_bill_that_cannot_be_claimed_anew_keeps_nobodys_money(ward: Ward) -> None:
    # given a settlement to be taken back, and a line that meanwhile lost its national code
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "settle_differs", seed=HIGHER)
    ChargeItem.objects.filter(invoice_lines__invoice=bill).update(national_code="")
    asked = ward.collect(bill)
    ward.ended(bill)
    # then it is taken back and the tender is owed all the same; the bill is to pay, with the reason
    answer = ward.answer(asked)
    assert (bill.status, answer["result"], answer["reason"]) == (
        "ISSUED", "declined", "insurer_refused",
    )  # fmt: skip
    ward.refund()
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398), ("REFUND", "SUCCEEDED", 1_398)]
    assert [one.status for one in Claim.objects.all()] == ["REVERSED"]
    even(ward, bill)
    # and once the code is back, it is paid
    ChargeItem.objects.filter(invoice_lines__invoice=bill).update(national_code=F("item_code"))
    ward.collect(bill)
    ward.ended(bill)
    assert bill.status == "PAID"
    even(ward, bill)


def test_the_window_takes_no_more_than_was_said(ward: Ward) -> None:
    bill = ward.priced()
    ward.fault("settle", "settle_differs", seed=HIGHER, times=2)
    asked = ward.collect(bill, "cash")
    answer = ward.answer(asked)
    assert (bill.status, answer["result"], answer["reason"]) == (
        "ISSUED", "declined", "price_changed",
    )  # fmt: skip
    assert movements(bill) == []
    even(ward, bill)


def test_the_window_takes_less_where_it_cost_less(ward: Ward) -> None:
    bill = ward.priced()
    ward.fault("settle", "settle_differs", seed=LOWER)
    ward.collect(bill, "cash")
    assert (bill.status, movements(bill)) == ("PAID", [("CAPTURE", "SUCCEEDED", 989)])
    even(ward, bill)


def test_a_refused_settlement_gives_the_tender_back(ward: Ward) -> None:
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "decline")
    asked = ward.collect(bill)
    answer = ward.answer(asked)
    assert (bill.status, answer["result"], answer["reason"]) == (
        "ISSUED", "declined", "insurer_refused",
    )  # fmt: skip
    assert told(bill)[-1] == "declined"
    assert invoice_body(bill)["claim"]["sentence"]
    ward.refund()
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398), ("REFUND", "SUCCEEDED", 1_398)]
    body = invoice_body(bill)
    assert (body["paid_fen"], body["due_fen"]) == (0, 1_398)
    even(ward, bill)
    ward.collect(bill)
    assert bill.status == "PAID"
    even(ward, bill)


@pytest.mark.parametrize(
    "lost",
    ["drop_before", "drop_after", "http_500_before", "http_500_after", "system_error_after"],
)
def test_a_settlement_without_an_answer_is_looked_at_and_never_said_twice(
    ward: Ward, lost: str
) -> None:
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", lost)
    asked = ward.collect(bill)
    if bill.status != "PAID":
        # then nothing moves until the insurer says what stands
        assert (bill.status, ward.answer(asked)["result"]) == ("PROCESSING", "processing")
        assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398)]
        assert bill.due_at is not None
        ward.later(31)
        ward.driven(bill)
    assert (bill.status, split_of(bill)) == ("PAID", SPLIT)
    assert ward.books() == {"fund": 2_452, "own_account": 500, "captured": 1_398, "refunded": 0}
    even(ward, bill)


def test_while_the_end_is_not_known_nobody_collects_or_refunds(ward: Ward) -> None:
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "drop_after")
    ward.fault("query", "drop_before", times=3)
    ward.collect(bill)
    for _look in range(3):
        ward.later(31)
        ward.driven(bill)
        if bill.status == "PROCESSING":
            assert invoice_body(bill)["due_fen"] == 0
            assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398)]
    ward.later(31)
    ward.driven(bill)
    assert bill.status == "PAID"
    assert ward.insurer.calls().count("2207") == 1
    even(ward, bill)


def test_a_settlement_that_is_not_taken_back_waits_for_a_person(ward: Ward) -> None:
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "settle_differs", seed=HIGHER)
    ward.fault("settle_reverse", "already_cleared")
    asked = ward.collect(bill)
    assert (bill.status, ward.answer(asked)["result"]) == ("REVIEW", "declined")
    assert BillingReview.objects.get().reason_code == "claim_not_reversed"
    # what the fund owes stands in the books, and so does what was paid
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398)]
    even(ward, bill)


def test_a_reversal_without_an_answer_gives_nothing_back_before_it_is_known(ward: Ward) -> None:
    ward.agreement()
    bill = ward.priced()
    ward.fault("settle", "settle_differs", seed=HIGHER)
    ward.fault("settle_reverse", "drop_after")
    ward.collect(bill)
    assert bill.status == "PROCESSING"
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398)]
    ward.later(31)
    ward.driven(bill)
    ward.ended(bill)
    ward.refund()
    assert bill.status == "PAID"
    assert [row[2] for row in movements(bill)] == [1_398] * 3
    even(ward, bill)


def test_money_of_a_tender_that_was_passed_over_goes_back(ward: Ward) -> None:
    # given a deduction nobody waits for any more, and a bill the window settled meanwhile
    ward.agreement()
    bill = ward.priced()
    asked = payments.collect(bill)
    ward.driven(bill)
    late = PaymentTransaction.objects.get()
    assert (bill.status, late.status) == ("COLLECTING", "PENDING")
    tender_pass_over(invoice_id=bill.pk, by=Actor("staff", "cashier", "张敏"))
    ward.collect(bill, "cash")
    assert bill.status == "PAID"
    # when it succeeds after all
    ward.later(4)
    transaction_resume(transaction_id=late.pk)
    ward.refund()
    assert [row[2] for row in movements(bill)] == [1_398] * 3
    asked.refresh_from_db()
    assert (bill.status, asked.status) == ("PAID", "DECLINED")
    even(ward, bill)
