"""One scan and the visit settles: price, cash part, settlement, books."""

from __future__ import annotations

import pytest

from billing.ledger.selectors import account_balance
from billing.models import HisEvent
from billing.selectors.invoices import invoice_body
from tests.billing.insured.ward import Ward, entries, even, movements, split_of, told
from tests.contracts.nhsa_claims import CART_FEN

pytestmark = pytest.mark.django_db
SPLIT = (2_452, 500, 0, 0, 1_398)


def test_a_bill_of_an_insured_visit_is_priced_before_anything_is_collected(ward: Ward) -> None:
    bill = ward.bill()
    assert (bill.status, bill.cash_fen, told(bill)) == ("PRICING", CART_FEN, [])
    ward.driven(bill)
    assert (bill.status, split_of(bill), bill.priced_fen) == ("ISSUED", SPLIT, CART_FEN)
    assert bill.valid_until is not None and bill.priced_at is not None
    body = invoice_body(bill)
    assert body["split"]["cash_fen"] == body["due_fen"] == 1_398
    assert body["claim"]["status"] == "PRICED"
    assert HisEvent.objects.get(invoice=bill).data["split"]["fund_fen"] == 2_452
    assert ward.books() == {"fund": 0, "own_account": 0, "captured": 0, "refunded": 0}


def test_the_agreement_pays_the_cash_part_and_the_fund_the_rest(ward: Ward) -> None:
    ward.agreement()
    bill = ward.priced()
    asked = ward.collect(bill)
    assert (bill.status, ward.answer(asked)) == ("PAID", {"result": "paid"})
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398)]
    assert entries(bill) == ["invoice_issued", "captured", "claim_settled"]
    assert told(bill) == ["priced", "paid"]
    assert ward.books() == {"fund": 2_452, "own_account": 500, "captured": 1_398, "refunded": 0}
    assert account_balance("patient_receivable") == 0
    even(ward, bill)


def test_one_scan_settles_a_visit_that_nobody_insured_before(ward: Ward) -> None:
    # given a visit without any proof: the bill is a plain one
    ward.visit.insurance_credential.delete()
    bill = ward.bill()
    assert (bill.status, bill.claim_id) == ("ISSUED", None)
    # when the doctor scans the code on the phone
    asked = ward.collect(bill, "one_code", ward.code())
    # then the code insured the visit, and the same code paid the cash part
    assert (bill.status, ward.answer(asked)) == ("PAID", {"result": "paid"})
    assert split_of(bill) == SPLIT
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398)]
    asked.refresh_from_db()
    assert asked.auth_code == ""
    even(ward, bill)


def test_a_code_scanned_while_the_bill_is_priced_is_taken(ward: Ward) -> None:
    bill = ward.bill()
    asked = ward.collect(bill, "one_code", ward.code())
    assert (bill.status, ward.answer(asked)["result"]) == ("PAID", "paid")
    even(ward, bill)


def test_a_face_insures_and_the_agreement_pays(ward: Ward) -> None:
    ward.visit.insurance_credential.delete()
    ward.agreement()
    bill = ward.bill()
    ward.sandbox.act("nhsa", "present_face", ward.insurer.psn_no, term_id="T01")
    asked = ward.collect(bill, "face", "T01")
    assert (bill.status, ward.answer(asked)["result"]) == ("PAID", "paid")
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398)]
    even(ward, bill)


def test_without_a_cash_part_the_settlement_stands_alone(ward: Ward) -> None:
    # given an account that holds more than the bill
    ward.sandbox.act("nhsa", "set_coverage", ward.insurer.psn_no, balance_fen=100_000)
    bill = ward.priced(("001102000010000", 1_000))
    assert bill.cash_fen == 0
    asked = ward.collect(bill)
    assert (bill.status, ward.answer(asked)["result"]) == ("PAID", "paid")
    assert movements(bill) == []
    assert told(bill) == ["priced", "paid"]
    even(ward, bill)


def test_the_window_takes_its_cash_after_the_settlement(ward: Ward) -> None:
    bill = ward.priced()
    asked = ward.collect(bill, "cash")
    assert (bill.status, ward.answer(asked)["result"]) == ("PAID", "paid")
    assert entries(bill) == ["invoice_issued", "claim_settled", "cash_taken"]
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398)]
    even(ward, bill)


def test_no_tender_starts_on_a_price_that_ran_out(ward: Ward) -> None:
    ward.agreement()
    bill = ward.priced()
    before = bill.priced_at
    ward.later(1_801)
    ward.collect(bill)
    assert bill.status == "PAID"
    assert bill.priced_at is not None and before is not None and bill.priced_at > before
    assert ward.insurer.calls().count("2206") == 2
    even(ward, bill)
