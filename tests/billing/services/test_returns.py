"""What is given back: accepted or waiting, cut into refunds newest tender first, never too much."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.channels.base import Operation, Source
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance
from billing.models import (
    BillingReview,
    HisEvent,
    Invoice,
    InvoiceReturn,
    Payment,
    PaymentTransaction,
    Shift,
)
from billing.services.apply import transaction_apply
from billing.services.collecting.pass_over import tender_pass_over
from billing.services.refunding.refund_reissues import refund_hand_out
from billing.services.sweeps import transaction_resume
from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict, Forbidden, NotFound
from core.idempotency import NumberReused
from tests import scripted
from tests.billing.services.bills import (
    APPROVER,
    ASKER,
    CLEARING,
    LOST,
    REVIEWER,
    ask_back,
    capture_of,
    driven,
    in_flight,
    paid,
    part,
    refunds_of,
)
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db


def sent(bill: Invoice) -> None:
    """Every refund of the bill leaves."""
    for row in refunds_of(bill):
        transaction_resume(transaction_id=row.pk)
    bill.refresh_from_db()


def test_a_return_is_owed_at_once_and_done_when_its_money_has_left() -> None:
    bill = paid(1_000, 2_000)
    returned = ask_back(bill, part(bill, 1))
    assert (returned.status, returned.amount_fen) == ("ACCEPTED", 2_000)
    assert (returned.operator_code, returned.approver_code) == ("C1", "C2")
    assert account_balance("refund_payable") == -2_000
    assert account_balance(CLEARING) == 3_000
    line = bill.lines.order_by("pk")[1]
    assert (line.returned_fen, line.returned_quantity) == (2_000, 1)
    sent(bill)
    returned.refresh_from_db()
    assert (returned.status, bill.status) == ("DONE", "PARTLY_REFUNDED")
    assert (account_balance("refund_payable"), account_balance(CLEARING)) == (0, 1_000)
    ask_back(bill, refund_no="F2")
    sent(bill)
    assert (bill.status, account_balance(CLEARING)) == ("REFUNDED", 0)
    assert ledger_check().sound


def test_the_same_number_is_the_same_return_and_other_content_is_refused() -> None:
    bill = paid(1_000, 2_000)
    first = ask_back(bill, part(bill, 0))
    assert ask_back(bill, part(bill, 0)) == first
    with pytest.raises(NumberReused) as refused:
        ask_back(bill, part(bill, 1), input_hash="other")
    assert refused.value.field == "refund_no"
    assert (InvoiceReturn.objects.count(), len(refunds_of(bill))) == (1, 1)


@pytest.mark.parametrize("spelling", ["C1", "c1"])
def test_who_asks_does_not_approve(spelling: str) -> None:
    bill = paid(1_000)
    with pytest.raises(Forbidden) as refused:
        ask_back(bill, approver=Actor("staff", spelling, "又一个名字"))
    assert refused.value.field == "approved_by"
    assert not InvoiceReturn.objects.exists()


@pytest.mark.parametrize("made", [lambda: invoice(1_000), in_flight], ids=["issued", "in_flight"])
def test_only_a_paid_bill_is_given_back(made: Any) -> None:
    with pytest.raises(Conflict) as refused:
        ask_back(made())
    assert refused.value.code == "invoice_not_paid"


def test_a_bill_nobody_issued_is_not_found() -> None:
    bill = paid(1_000)
    bill.invoice_no = "I404"
    with pytest.raises(NotFound):
        ask_back(bill)


def test_one_wrong_line_gives_nothing_back() -> None:
    bill = paid(1_000, 2_000)
    strange = part(paid(500), 0)
    with pytest.raises(BadInput):
        ask_back(bill, part(bill, 0), strange)
    assert (InvoiceReturn.objects.count(), account_balance("refund_payable")) == (0, 0)
    assert bill.lines.filter(returned_fen__gt=0).count() == 0


def test_a_line_waiting_for_its_review_cannot_be_asked_for_again() -> None:
    bill = paid(1_000, 2_000)
    assert ask_back(bill, part(bill, 0), approver=None).status == "REVIEW"
    with pytest.raises(Conflict) as refused:
        ask_back(bill, part(bill, 0), refund_no="F2")
    assert refused.value.code == "quantity_left"
    assert ask_back(bill, refund_no="F3").amount_fen == 2_000  # all that is left


def test_of_two_captures_the_newest_gives_back_first(still_clock: clock.FrozenClock) -> None:
    # given a bill that stands on two captures: ¥30 of the morning and, dearer since, ¥10 at noon
    bill = paid(3_000)
    morning = capture_of(bill)
    still_clock.advance(timedelta(hours=2))
    noon = copied(morning, amount_fen=1_000, occurred_at=clock.now())
    # when all of it goes back
    ask_back(bill)
    # then noon gives all it has, and the morning the rest
    found = [(row.original_id, row.amount_fen) for row in refunds_of(bill)]
    assert found == [(noon.pk, 1_000), (morning.pk, 2_000)]


def test_a_part_that_left_twice_does_not_keep_the_return_from_ending(
    still_clock: clock.FrozenClock,
) -> None:
    # given a return of ¥40 in two parts, of which the one of ¥10 left in cash and by the channel
    bill = paid(4_000)
    still_clock.advance(timedelta(hours=2))
    copied(capture_of(bill), amount_fen=1_000, occurred_at=clock.now())
    returned = ask_back(bill)
    noon, morning = refunds_of(bill)
    scripted.script(Operation.REFUND, LOST)
    transaction_resume(transaction_id=noon.pk)
    scripted.script(Operation.REFUND_QUERY, LOST)
    cash = refund_hand_out(transaction_id=noon.pk, by=REVIEWER)
    transaction_resume(transaction_id=cash.pk)
    noon.refresh_from_db()
    transaction_apply(
        transaction_id=noon.pk, answer=scripted.PAID, source=Source.QUERY, asked_of=noon
    )
    returned.refresh_from_db()
    assert returned.status == "ACCEPTED"
    # when the other part leaves
    transaction_resume(transaction_id=morning.pk)
    # then the return is done, and what left twice is a question of its own
    returned.refresh_from_db()
    bill.refresh_from_db()
    assert (returned.status, bill.status) == ("DONE", "REFUNDED")
    case = BillingReview.objects.get(reason_code="refunded_twice")
    assert case.figures == {"too_much_fen": 1_000}


def copied(row: PaymentTransaction, **changes: Any) -> PaymentTransaction:
    """Another capture of the same bill, as its channel would have confirmed it. No number of ours
    holds a U."""
    payment = Payment.objects.get(pk=row.payment_id)
    payment.pk, payment.payment_no = None, f"{payment.payment_no[:-1]}U"
    payment.amount_fen = changes["amount_fen"]
    payment.save(force_insert=True)
    other = PaymentTransaction.objects.get(pk=row.pk)
    other.pk, other.number, other.payment = None, f"{row.number[:-1]}U", payment
    for name, value in changes.items():
        setattr(other, name, value)
    other.save(force_insert=True)
    return other


def test_late_money_of_a_bill_paid_in_cash_goes_back_by_itself_and_no_return_takes_it(
    still_clock: clock.FrozenClock,
) -> None:
    # given a bill of ¥30 whose first deduction was passed over, paid in cash, and then came after
    # all: ¥30 twice, of which the first goes back by itself
    bill = in_flight(3_000, scripted.SILENT)
    late = capture_of(bill)
    tender_pass_over(invoice_id=bill.pk, by=APPROVER)
    payments.collect(bill, "cash")
    assert driven(bill).status == "PAID"
    still_clock.advance(timedelta(seconds=40))
    scripted.script(Operation.QUERY, scripted.PAID)
    transaction_resume(transaction_id=late.pk)
    # when the bill is given back before that refund has left
    ask_back(bill)
    # then the return takes the cash, and the late money stays for its own refund
    own, returned = refunds_of(bill)
    assert (own.original_id, own.invoice_return_id) == (late.pk, None)
    assert returned.payment.mode == "cash"
    sent(bill)
    assert bill.status == "REFUNDED"
    drawer = account_balance(f"cash_drawer/{Shift.objects.get().shift_no}")
    assert (account_balance(CLEARING), drawer, account_balance("refund_payable")) == (0, 0, 0)
    assert ledger_check().sound


def test_a_return_whose_money_comes_back_is_told_and_ends_later() -> None:
    bill = paid(1_000)
    returned = ask_back(bill)
    scripted.script(Operation.REFUND, scripted.SILENT)
    sent(bill)
    returned.refresh_from_db()
    assert (returned.status, refunds_of(bill)[0].status) == ("ACCEPTED", "UNKNOWN")
    told = HisEvent.objects.filter(invoice=bill).order_by("seq").values_list("type", "data")
    assert told[2] == ("refund_accepted", {"refund_no": "F1", "amount_fen": 1_000})
    assert len(told) == 3


def test_the_database_keeps_maker_and_approver_apart() -> None:
    returned = ask_back(paid(1_000))
    assert (returned.operator_code, returned.approver_code) == (ASKER.code, APPROVER.code)
    assert returned.occurred_at == returned.created_at == clock.now()
