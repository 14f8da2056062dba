"""Lines of an insured bill given back: reversed whole, the rest settled, the difference leaves."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.ledger.selectors import account_balance
from billing.models import BillingReview, Invoice, InvoiceReturn
from billing.selectors.invoices import invoice_body
from billing.services.insuring.deciding import claim_review_again, claim_review_leave
from billing.services.refunding.return_lines import ReturnInput
from core.errors import Conflict
from insurance.models import Claim
from tests.billing.insured.ward import Ward, entries, even, movements, split_of, told
from tests.billing.services.bills import REVIEWER, ask_back, part
from tests.contracts.nhsa_house import DRUG, EXCLUDED, SERVICE

pytestmark = pytest.mark.django_db


@pytest.fixture
def bill(ward: Ward) -> Invoice:
    """10.00 甲, 32.50 乙 and 1.00 丙: fund 24.52, account 5.00, cash 13.98."""
    ward.agreement()
    return ward.paid()


def returned(ward: Ward, bill: Invoice, *parts: ReturnInput, refund_no: str = "F1") -> str:
    """Ask for a return and drive it; how it stands then."""
    row = ask_back(bill, *parts, refund_no=refund_no)
    ward.driven(bill)
    ward.refund()
    bill.refresh_from_db()
    row.refresh_from_db()
    return str(row.status)


def test_the_rest_is_settled_as_if_the_drug_had_never_been_charged(
    ward: Ward, bill: Invoice
) -> None:
    ask_back(bill, part(bill, 1))
    bill.refresh_from_db()
    assert bill.status == "RESETTLING"
    # nothing leaves before the new claim is final
    assert len(movements(bill)) == 1
    assert returned_of(bill).status == "ACCEPTED"
    ward.driven(bill)
    # 10.00 in scope at 0.60; of the 5.00 that are left, with the 丙 of 1.00, the account pays all
    assert split_of(bill) == (600, 500, 0, 0, 0)
    assert (bill.priced_fen, bill.status) == (1_100, "PAID")
    ward.refund()
    bill.refresh_from_db()
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398), ("REFUND", "SUCCEEDED", 1_398)]
    assert (bill.status, returned_of(bill).status) == ("PARTLY_REFUNDED", "DONE")
    assert entries(bill)[-5:] == [
        "claim_reversed", "claim_settled", "lines_returned", "refund_owed", "refund_done",
    ]  # fmt: skip
    assert told(bill) == ["priced", "paid", "refund_accepted", "refunded"]
    body = invoice_body(bill)
    assert (body["amount_fen"], body["refunded_fen"]) == (4_350, 1_398)
    assert ward.books() == {"fund": 600, "own_account": 500, "captured": 1_398, "refunded": 1_398}
    assert -account_balance("medical_revenue") == 1_100
    even(ward, bill)


def returned_of(bill: Invoice) -> InvoiceReturn:
    return InvoiceReturn.objects.get(invoice=bill)


def test_everything_given_back_leaves_nothing_anywhere(ward: Ward, bill: Invoice) -> None:
    assert returned(ward, bill) == "DONE"
    assert bill.status == "REFUNDED"
    assert ward.books() == {"fund": 0, "own_account": 0, "captured": 1_398, "refunded": 1_398}
    assert [claim.status for claim in Claim.objects.all()] == ["REVERSED"]
    assert account_balance("medical_revenue") == 0
    even(ward, bill)


def test_what_only_the_fund_had_paid_gives_nothing_back(ward: Ward) -> None:
    ward.sandbox.act("nhsa", "set_coverage", ward.insurer.psn_no, balance_fen=100_000)
    bill = ward.priced((SERVICE, 1_000), (SERVICE, 1_000))
    ward.collect(bill)
    assert (bill.status, bill.cash_fen) == ("PAID", 0)
    assert returned(ward, bill, part(bill, 0)) == "DONE"
    assert (bill.status, movements(bill)) == ("PARTLY_REFUNDED", [])
    even(ward, bill)
    assert returned(ward, bill, refund_no="F2") == "DONE"
    assert bill.status == "REFUNDED"
    even(ward, bill)


def test_a_part_of_a_quantity_and_then_the_rest(ward: Ward) -> None:
    ward.agreement()
    ward.charge((DRUG, 6_000), quantity=3)
    bill = ward.paid((EXCLUDED, 100))
    first = ReturnInput(line_no(bill, 0), Decimal(1), 2_000)
    assert returned(ward, bill, first) == "DONE"
    assert (bill.status, bill.priced_fen) == ("PARTLY_REFUNDED", 4_100)
    even(ward, bill)
    assert returned(ward, bill, refund_no="F2") == "DONE"
    assert bill.status == "REFUNDED"
    books = ward.books()
    assert (books["fund"], books["own_account"]) == (0, 0)
    assert books["captured"] == books["refunded"]
    even(ward, bill)


def line_no(bill: Invoice, place: int) -> str:
    return str(bill.lines.select_related("charge").order_by("pk")[place].charge.charge_no)


def test_a_dearer_rest_is_never_debited(ward: Ward, bill: Invoice) -> None:
    # given a rest that 2207 settles dearer than what was paid
    ward.sandbox.act("nhsa", "set_coverage", ward.insurer.psn_no, psn_insu_stas="1", balance_fen=0)
    ward.sandbox.act("nhsa", "set_used", ward.insurer.psn_no, deductible_fen=0)
    status = returned(ward, bill, part(bill, 2))
    assert (bill.status, status) == ("REVIEW", "ACCEPTED")
    case = BillingReview.objects.get()
    assert case.reason_code == "return_dearer"
    assert (case.figures["paid_fen"], case.figures["cash_fen"] > 1_398) == (1_398, True)
    assert movements(bill) == [("CAPTURE", "SUCCEEDED", 1_398)]
    assert told(bill)[-1] == "review"
    even(ward, bill)
    # asked again, it is still no cheaper: it comes back with the same figures
    claim_review_again(review_id=case.pk, by=REVIEWER, comment="已核对")
    ward.driven(bill)
    assert (bill.status, BillingReview.objects.filter(status="OPEN").count()) == ("REVIEW", 1)
    even(ward, bill)


def test_a_rest_that_is_refused_waits_with_its_figures(ward: Ward, bill: Invoice) -> None:
    ward.fault("presettle", "decline")
    status = returned(ward, bill, part(bill, 1))
    assert (bill.status, status) == ("REVIEW", "ACCEPTED")
    case = BillingReview.objects.get()
    assert case.reason_code == "return_not_settled"
    assert (case.figures["paid_fen"], case.figures["code"]) == (1_398, "insurer_refused")
    assert len(movements(bill)) == 1
    even(ward, bill)
    # a person asks the insurer once more, and the return goes on from where it stopped
    claim_review_again(review_id=case.pk, by=REVIEWER, comment="已核对")
    ward.driven(bill)
    ward.refund()
    bill.refresh_from_db()
    assert (bill.status, split_of(bill)) == ("PARTLY_REFUNDED", (600, 500, 0, 0, 0))
    even(ward, bill)


def test_a_return_that_the_insurer_stops_is_given_up_by_a_person(ward: Ward, bill: Invoice) -> None:
    ward.fault("settle_reverse", "already_cleared")
    returned(ward, bill, part(bill, 1))
    case = BillingReview.objects.get()
    claim_review_leave(review_id=case.pk, by=REVIEWER, comment="已清算")
    bill.refresh_from_db()
    assert (bill.status, returned_of(bill).status) == ("PAID", "REJECTED")
    assert told(bill)[-1] == "refund_failed"
    even(ward, bill)
    # its lines are free for another try
    assert returned(ward, bill, part(bill, 1), refund_no="F2") == "DONE"
    assert bill.status == "PARTLY_REFUNDED"
    even(ward, bill)


def test_a_settlement_that_cannot_be_taken_back_moves_nothing(ward: Ward, bill: Invoice) -> None:
    ward.fault("settle_reverse", "already_cleared")
    status = returned(ward, bill, part(bill, 1))
    assert (bill.status, status) == ("REVIEW", "ACCEPTED")
    assert BillingReview.objects.get().reason_code == "claim_not_reversed"
    assert len(movements(bill)) == 1
    even(ward, bill)


@pytest.mark.parametrize("operation", ["settle_reverse", "settle"])
@pytest.mark.parametrize("lost", ["drop_before", "drop_after"])
def test_a_lost_answer_of_a_return_is_found_out(
    ward: Ward, bill: Invoice, operation: str, lost: str
) -> None:
    ward.fault(operation, lost)
    ask_back(bill, part(bill, 1))
    ward.driven(bill)
    if bill.status == "RESETTLING":
        assert len(movements(bill)) == 1
        ward.later(31)
        ward.driven(bill)
    ward.refund()
    bill.refresh_from_db()
    assert (bill.status, split_of(bill)) == ("PARTLY_REFUNDED", (600, 500, 0, 0, 0))
    even(ward, bill)


def test_two_returns_do_not_run_at_once(ward: Ward, bill: Invoice) -> None:
    ask_back(bill, part(bill, 1))
    with pytest.raises(Conflict) as refused:
        ask_back(bill, part(bill, 2), refund_no="F2")
    assert refused.value.code == "return_running"
