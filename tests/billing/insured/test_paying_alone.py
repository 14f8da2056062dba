"""The patient pays the cash part on a page of their own; the settlement follows by itself."""

from __future__ import annotations

import pytest

from billing.channels.base import Mode
from billing.models import PaymentTransaction
from billing.offers import Offer
from billing.selectors.pay_page import invoice_page
from billing.services.collecting.pay_links import offer_choose
from billing.services.insuring.running import price_refresh
from billing.services.sweeps import transaction_resume
from core.errors import Conflict
from tests.billing.insured.ward import Ward, entries, even, movements
from tests.billing.services.bills import ask_back, part

pytestmark = pytest.mark.django_db
NATIVE = Offer("wechat_pay", Mode.NATIVE)


def test_the_page_asks_for_the_cash_part_only_and_a_scan_settles(ward: Ward) -> None:
    bill = ward.priced()
    page = invoice_page(bill)
    assert (page.amount_fen, page.cash_fen, page.due_fen) == (4_350, 1_398, 1_398)
    # when the patient opens the order and pays it
    action = offer_choose(invoice=bill, offer=NATIVE, payer_address="203.0.113.9", form_key="K1")
    assert action is not None
    row = PaymentTransaction.objects.get()
    assert row.amount_fen == 1_398
    ward.sandbox.act("payer", "open_pay_link", ward.openid, link=action.value)
    ward.sandbox.act("payer", "confirm", ward.openid, link=action.value)
    ward.later(4)
    transaction_resume(transaction_id=row.pk)
    bill.refresh_from_db()
    # then it is settled without anybody collecting
    assert bill.status == "PAID"
    assert entries(bill) == ["invoice_issued", "captured", "claim_settled"]
    page = invoice_page(bill)
    assert (page.state, page.paid_fen) == ("paid", 1_398)
    even(ward, bill)


def test_a_price_that_ran_out_is_asked_for_when_the_page_is_used(ward: Ward) -> None:
    bill = ward.priced()
    ward.later(1_801)
    offer_choose(invoice=bill, offer=NATIVE, payer_address="", form_key="K1")
    assert [row[2] for row in movements(bill)] == [1_398]
    assert ward.insurer.calls().count("2206") == 2


def test_another_price_is_looked_at_before_it_is_paid(ward: Ward) -> None:
    bill = ward.priced()
    ward.later(1_801)
    ward.sandbox.act("nhsa", "set_coverage", ward.insurer.psn_no, balance_fen=0)
    with pytest.raises(Conflict) as refused:
        price_refresh(invoice=bill)
    assert refused.value.code == "amount_changed"
    bill.refresh_from_db()
    assert (bill.status, bill.cash_fen, movements(bill)) == ("ISSUED", 1_898, [])


def test_an_unpriced_bill_takes_no_money_from_a_page(ward: Ward) -> None:
    ward.fault("presettle", "drop_before", times=9)
    bill = ward.priced()
    for _again in range(3):
        ward.later(4)
        ward.driven(bill)
    assert (bill.status, bill.decline_code) == ("ISSUED", "insurer_silent")
    with pytest.raises(Conflict) as refused:
        offer_choose(invoice=bill, offer=NATIVE, payer_address="", form_key="K1")
    assert refused.value.code == "price_over"
    assert movements(bill) == []


def test_the_page_of_a_returned_bill_shows_what_is_left_of_it(ward: Ward) -> None:
    ward.agreement()
    bill = ward.paid()
    ask_back(bill, part(bill, 1))
    ward.driven(bill)
    ward.refund()
    bill.refresh_from_db()
    page = invoice_page(bill)
    assert page.split is not None
    assert (page.amount_fen, page.cash_fen) == (1_100, 0)
    ask_back(bill, refund_no="F2")
    ward.driven(bill)
    bill.refresh_from_db()
    assert (bill.status, invoice_page(bill).split) == ("REFUNDED", None)
    even(ward, bill)
