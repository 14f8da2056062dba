"""A bill paid on the insured's own phone: both succeed, either fails, nobody answers or pays."""

from __future__ import annotations

import pytest

from billing.channels.base import Mode
from billing.models import BillingReview, MixedOrder
from billing.offers import Offer
from core.actors import Actor
from core.errors import Conflict, NotOffered
from insurance.models import InsuranceReview
from insurance.services.claims import Decision, claim_review_decide
from tests.billing.insured.phone import Phone, phone_open
from tests.billing.insured.test_returning import part, returned
from tests.billing.insured.ward import Ward, entries, even, movements, split_of

pytestmark = pytest.mark.django_db
SPLIT = (2_452, 500, 0, 0, 1_398)
NOTHING = {"fund": 0, "own_account": 0, "captured": 0, "refunded": 0}
REVIEWER = Actor("staff", "reviewer", "李志强")


@pytest.fixture
def phone(ward: Ward) -> Phone:
    return phone_open(ward)


def test_one_password_pays_insurance_and_cash(ward: Ward, phone: Phone) -> None:
    bill = ward.priced()
    phone.allowed(bill)
    assert (bill.status, split_of(bill)) == ("ISSUED", SPLIT)
    action = phone.pressed(bill)
    assert action.type == "wallet" and '"mixTradeNo": "mx' in action.value
    bill.refresh_from_db()
    assert (bill.status, ward.books()) == ("COLLECTING", NOTHING)
    assert phone.confirmed()["mix_pay_status"] == "MIX_PAY_SUCCESS"
    phone.heard(bill)
    assert (bill.status, movements(bill)) == ("PAID", [("CAPTURE", "SUCCEEDED", 1_398)])
    assert entries(bill) == ["invoice_issued", "captured", "claim_settled"]
    assert phone.claims(bill) == [("FSI", "RELEASED"), ("MOBILE", "SETTLED")]
    assert ward.books() == {"fund": 2_452, "own_account": 500, "captured": 1_398, "refunded": 0}
    even(ward, bill)


def test_nothing_is_said_to_the_hall_of_a_bill_on_the_phone(ward: Ward, phone: Phone) -> None:
    bill = phone.paid(ward.priced())
    codes = ward.insurer.calls()
    assert bill.status == "PAID"
    assert codes.count("6202") == 1 and not {"2207", "2208"} & set(codes)


def test_whoever_leaves_without_the_password_pays_nothing(ward: Ward, phone: Phone) -> None:
    bill = phone.tried(ward.priced())
    phone.left(bill)
    assert (bill.status, ward.books()) == ("ISSUED", NOTHING)
    assert phone.claims(bill)[-1] == ("MOBILE", "RELEASED")
    # and the doctor collects as ever, by the hall's route
    ward.agreement()
    ward.collect(bill)
    assert (bill.status, phone.claims(bill)[-1]) == ("PAID", ("FSI", "SETTLED"))
    even(ward, bill)


def test_the_cash_was_paid_and_the_insurance_failed(ward: Ward, phone: Phone) -> None:
    bill = phone.tried(ward.priced())
    ward.fault("mobile_order", "part_success", seed=2)
    assert phone.confirmed()["med_ins_pay_status"] == "MED_INS_PAY_FAIL"
    phone.heard(bill)
    assert (bill.status, phone.claims(bill)[-1]) == ("ISSUED", ("MOBILE", "RELEASED"))
    ward.refund()
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398), ("REFUND", "SUCCEEDED", 1_398)]
    even(ward, bill)


def test_the_insurance_was_paid_and_the_cash_failed(ward: Ward, phone: Phone) -> None:
    bill = phone.tried(ward.priced())
    ward.sandbox.fault("capture", "decline", "wechat_pay", times=1)
    assert phone.confirmed()["med_ins_pay_status"] == "MED_INS_PAY_SUCCESS"
    assert ward.books()["fund"] == 2_452
    phone.left(bill)
    # taken back by 6203; the bill is priced anew and to pay
    assert phone.claims(bill)[1] == ("MOBILE", "REVERSED")
    assert ward.books() == NOTHING
    assert bill.status == "ISSUED"
    assert phone.told() == 1 and phone.told() == 0
    even(ward, bill)


def test_a_lost_answer_about_the_order_is_asked_for_again(ward: Ward, phone: Phone) -> None:
    bill = phone.tried(ward.priced())
    phone.confirmed()
    ward.fault("mobile_query", "drop_after")
    phone.heard(bill)
    assert bill.status == "PROCESSING"
    ward.later(31)
    ward.driven(bill)
    assert bill.status == "PAID"
    even(ward, bill)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "bad_signature"])
def test_a_lost_answer_of_the_mixed_order_makes_one_order(
    ward: Ward, phone: Phone, fault: str
) -> None:
    bill = ward.priced()
    phone.allowed(bill)
    ward.sandbox.fault("mixed", fault, "wechat_pay", times=1)
    action = phone.pressed(bill)
    assert action is not None and "mixTradeNo" in action.value
    phone.confirmed()
    phone.heard(bill)
    assert bill.status == "PAID"
    even(ward, bill)


def test_a_wallet_that_refuses_the_order_takes_nothing(ward: Ward, phone: Phone) -> None:
    bill = ward.priced()
    phone.allowed(bill)
    ward.sandbox.fault("mixed", "decline", "wechat_pay", times=1)
    assert phone.pressed(bill) is None
    ward.driven(bill)
    assert (bill.status, phone.claims(bill)[-1]) == ("ISSUED", ("MOBILE", "RELEASED"))
    assert ward.books() == NOTHING
    even(ward, bill)


def test_one_fen_of_difference_is_refused_and_shown_to_a_person(ward: Ward, phone: Phone) -> None:
    bill = phone.tried(ward.priced())
    phone.confirmed()
    ward.sandbox.fault("mixed_query", "settle_differs", "wechat_pay", times=1)
    phone.heard(bill)
    assert bill.status != "PAID"
    assert BillingReview.objects.get().reason_code == "state_differs"
    # asked again it adds up
    phone.heard(bill, 31)
    assert bill.status == "PAID"
    even(ward, bill)


def test_a_settlement_dearer_than_its_trial_is_taken_back(ward: Ward, phone: Phone) -> None:
    bill = phone.tried(ward.priced())
    ward.fault("mobile_order", "settle_differs")
    phone.confirmed()
    phone.heard(bill)
    ward.refund()
    bill.refresh_from_db()
    assert phone.claims(bill)[1][0] == "MOBILE"
    even(ward, bill)


@pytest.mark.parametrize("ord_stas", [14, 20])
def test_a_state_nobody_can_end_waits_for_a_person(ward: Ward, phone: Phone, ord_stas: int) -> None:
    bill = phone.tried(ward.priced())
    phone.confirmed()
    phone.disturb(bill, ord_stas)
    phone.heard(bill)
    assert (bill.status, phone.claims(bill)[-1]) == ("PROCESSING", ("MOBILE", "REVIEW"))
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398)]
    phone.disturb(bill, 6)
    case = InsuranceReview.objects.get()
    claim_review_decide(
        review_id=case.pk, decision=Decision.LOOK_AGAIN, by=REVIEWER, comment="已核对"
    )
    phone.heard(bill, 31)
    assert bill.status == "PAID"
    even(ward, bill)


def test_a_revoked_insurance_with_cash_is_ended_by_a_person(ward: Ward, phone: Phone) -> None:
    bill = phone.tried(ward.priced())
    ward.fault("mobile_order", "part_success", seed=2)
    phone.confirmed()
    phone.disturb(bill, 13)
    phone.heard(bill)
    case = InsuranceReview.objects.get()
    claim_review_decide(review_id=case.pk, decision=Decision.UNDO, by=REVIEWER, comment="已核对")
    phone.heard(bill, 31)
    ward.refund()
    bill.refresh_from_db()
    assert (bill.status, movements(bill)[-1]) == ("ISSUED", ("REFUND", "SUCCEEDED", 1_398))
    even(ward, bill)


def test_another_way_leaves_the_phones_price(ward: Ward, phone: Phone) -> None:
    bill = ward.priced()
    phone.allowed(bill)
    assert phone.claims(bill)[-1] == ("MOBILE", "PRICED")
    action = phone.pressed(bill, Offer("wechat_pay", Mode.JSAPI))
    assert action is not None and "mixTradeNo" not in action.value
    assert phone.claims(bill)[-2:] == [("MOBILE", "RELEASED"), ("FSI", "PRICED")]


def test_the_doctor_collects_what_was_priced_for_the_phone(ward: Ward, phone: Phone) -> None:
    bill = ward.priced()
    phone.allowed(bill)
    ward.agreement()
    ward.collect(bill)
    assert (bill.status, phone.claims(bill)[-1]) == ("PAID", ("FSI", "SETTLED"))
    assert phone.claims(bill)[1] == ("MOBILE", "RELEASED")
    even(ward, bill)


def test_the_phones_way_is_offered_to_a_bill_priced_for_it_alone(ward: Ward, phone: Phone) -> None:
    bill = ward.priced()
    with pytest.raises((Conflict, NotOffered)):
        phone.pressed(bill)
    assert (bill.status, ward.books()) == ("ISSUED", NOTHING)


def test_a_return_takes_the_settlement_back_and_settles_the_rest(ward: Ward, phone: Phone) -> None:
    bill = phone.paid(ward.priced())
    status = returned(ward, bill, part(bill, 1))
    ward.refund()
    bill.refresh_from_db()
    assert (bill.status, split_of(bill)) == ("PARTLY_REFUNDED", (600, 500, 0, 0, 0))
    assert phone.claims(bill) == [
        ("FSI", "RELEASED"), ("MOBILE", "REVERSED"), ("FSI", "SETTLED"),
    ]  # fmt: skip
    assert status in ("ACCEPTED", "DONE")
    ward.later(1)
    assert phone.told() == 1
    assert MixedOrder.objects.get().told_at is not None
    even(ward, bill)
