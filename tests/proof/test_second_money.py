"""T13 and T14: money that comes twice goes back; money that goes back goes once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from billing.channels.base import ChannelAnswer, Operation, Source
from billing.ledger.selectors import subject_balance
from billing.models import BillingReview, Invoice, InvoiceReturn, PaymentTransaction
from billing.services.apply import transaction_apply
from billing.services.invoice_drive import invoice_drive
from billing.services.refunding.returns import return_request
from billing.services.sweeps import transaction_resume, transactions_due
from core import clock
from core.actors import Actor
from core.outcomes import Outcome
from tests import scripted
from tests.factories import payments
from tests.factories.billing import invoice
from tests.proof.books import faults, invoice_kept_fen

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("scripted_channel")]

AMOUNT_FEN = 8_640
LATE = ChannelAnswer(Outcome.SUCCEEDED, channel_no="42LATE", amount_fen=AMOUNT_FEN)
ASKER, APPROVER = Actor("his", "C1", "收费员"), Actor("his", "C2", "组长")


def bill_of(*answers: object) -> Invoice:
    """A collect whose deductions are answered so."""
    bill = invoice(AMOUNT_FEN)
    payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, *answers)  # type: ignore[arg-type]
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    return bill


def rows(bill: Invoice, kind: str) -> list[PaymentTransaction]:
    found = PaymentTransaction.objects.filter(payment__invoice=bill, kind=kind)
    return list(found.order_by("pk"))


def sweep(times: int = 1) -> None:
    for _time in range(times):
        for pk in transactions_due(limit=100):
            transaction_resume(transaction_id=pk)


def paid_by_second_number() -> tuple[Invoice, PaymentTransaction]:
    """The first number was never executed, it seemed; the second paid the bill."""
    bill = bill_of(scripted.NOT_SENT, scripted.PAID)
    assert bill.status == "PAID"
    return bill, rows(bill, "CAPTURE")[0]


@pytest.mark.proof("T13")
def test_the_second_payment_goes_back_and_the_bill_stays_paid() -> None:
    bill, first = paid_by_second_number()
    for _twice in range(2):
        transaction_apply(transaction_id=first.pk, answer=LATE, source=Source.NOTICE)
    sweep()
    bill.refresh_from_db()
    first.refresh_from_db()
    (refund,) = rows(bill, "REFUND")
    assert bill.status == "PAID"
    assert (refund.original_id, refund.amount_fen) == (first.pk, AMOUNT_FEN)
    assert refund.status == "SUCCEEDED"
    assert scripted.calls(Operation.REFUND) == [refund.number]
    assert invoice_kept_fen(bill) == AMOUNT_FEN
    assert subject_balance("unapplied", first.pk) == 0
    assert bill.events.filter(type="paid").count() == 1
    assert faults() == []


@pytest.mark.proof("T13")
def test_a_paid_bill_with_returned_second_money_can_still_be_returned(
    still_clock: clock.FrozenClock,
) -> None:
    bill, first = paid_by_second_number()
    transaction_apply(transaction_id=first.pk, answer=LATE, source=Source.NOTICE)
    returned = give_back(bill)
    still_clock.advance(timedelta(seconds=70))
    sweep(2)
    bill.refresh_from_db()
    returned.refresh_from_db()
    assert (bill.status, returned.status) == ("REFUNDED", "DONE")
    assert sorted(row.original_id or 0 for row in rows(bill, "REFUND")) == [
        row.pk for row in rows(bill, "CAPTURE")
    ]
    assert invoice_kept_fen(bill) == 0
    assert faults() == []


@pytest.mark.proof("T13")
def test_second_money_that_cannot_go_back_is_not_used_up_by_a_return(
    still_clock: clock.FrozenClock,
) -> None:
    """A refund of second money is refused for good; the bill's own return takes the bill's own."""
    bill, first = paid_by_second_number()
    scripted.script(Operation.REFUND, scripted.DECLINED)
    newest = replace(LATE, occurred_at=clock.now() + timedelta(minutes=1))
    transaction_apply(transaction_id=first.pk, answer=newest, source=Source.NOTICE)
    sweep()
    (lost,) = rows(bill, "REFUND")
    assert lost.status == "DECLINED"
    give_back(bill)
    still_clock.advance(timedelta(seconds=70))
    sweep(2)
    own = rows(bill, "REFUND")[-1]
    assert own.original_id == rows(bill, "CAPTURE")[1].pk
    # what is still owed can still leave by the payment it came with
    assert subject_balance("refund_payable", lost.pk) == -AMOUNT_FEN
    assert faults() == []


@pytest.mark.proof("T13")
def test_late_money_pays_the_open_bill() -> None:
    bill = bill_of(scripted.DECLINED)
    assert bill.status == "ISSUED"
    first = rows(bill, "CAPTURE")[0]
    transaction_apply(transaction_id=first.pk, answer=LATE, source=Source.NOTICE)
    bill.refresh_from_db()
    assert bill.status == "PAID"
    assert rows(bill, "REFUND") == []
    assert faults() == []


@pytest.mark.proof("T13")
def test_late_money_while_another_tender_is_out_goes_back() -> None:
    bill = bill_of(scripted.NOT_SENT, scripted.PENDING)
    first, second = rows(bill, "CAPTURE")
    transaction_apply(transaction_id=first.pk, answer=LATE, source=Source.NOTICE)
    transaction_apply(transaction_id=second.pk, answer=LATE, source=Source.NOTICE)
    sweep()
    bill.refresh_from_db()
    assert bill.status == "PAID"
    assert [row.original_id for row in rows(bill, "REFUND")] == [first.pk]
    assert faults() == []


@pytest.mark.proof("T13")
def test_an_order_that_turns_up_after_it_was_given_up_is_watched(
    still_clock: clock.FrozenClock,
) -> None:
    """The send was on its way for longer than anybody waits: the channel has the order after all,
    and no notice ever comes. The money is found by asking."""
    bill, first = paid_by_second_number()
    taken = ChannelAnswer(Outcome.PENDING, code="ACCEPTED", executed=True)
    transaction_apply(transaction_id=first.pk, answer=taken, source=Source.SEND)
    scripted.script(Operation.QUERY, LATE)
    still_clock.advance(timedelta(seconds=61))
    sweep(2)
    first.refresh_from_db()
    bill.refresh_from_db()
    assert (bill.status, first.status) == ("PAID", "SUCCEEDED")
    assert [row.original_id for row in rows(bill, "REFUND")] == [first.pk]
    assert faults() == []


@pytest.mark.proof("T13")
def test_an_unpaid_order_that_turns_up_late_is_closed(still_clock: clock.FrozenClock) -> None:
    bill, first = paid_by_second_number()
    taken = ChannelAnswer(Outcome.PENDING, code="ACCEPTED", executed=True)
    transaction_apply(transaction_id=first.pk, answer=taken, source=Source.SEND)
    still_clock.advance(timedelta(seconds=61))
    sweep(2)
    first.refresh_from_db()
    assert scripted.calls(Operation.CLOSE) == [first.number]
    assert (first.status, first.due_at) == ("CLOSED", None)
    assert rows(bill, "REFUND") == []
    assert faults() == []


def give_back(bill: Invoice) -> InvoiceReturn:
    return return_request(
        client=bill.client,
        invoice_no=bill.invoice_no,
        refund_no=f"F{bill.pk}",
        lines=None,
        reason="退费",
        operator=ASKER,
        approver=APPROVER,
        input_hash="",
    )


def silent_return(*refund_answers: object) -> tuple[InvoiceReturn, PaymentTransaction]:
    bill = bill_of(scripted.PAID)
    returned = give_back(bill)
    scripted.script(Operation.REFUND, scripted.SILENT, *refund_answers)  # type: ignore[arg-type]
    sweep()
    (refund,) = rows(bill, "REFUND")
    assert refund.status == "UNKNOWN"
    return returned, refund


@pytest.mark.proof("T14")
@pytest.mark.parametrize("later", ["success", "failure", "never"])
def test_an_unanswered_refund_keeps_its_number(still_clock: clock.FrozenClock, later: str) -> None:
    returned, refund = silent_return(scripted.PAID)
    queried = {"success": scripted.PAID, "failure": scripted.DECLINED, "never": scripted.MISSING}
    scripted.script(Operation.QUERY, scripted.SILENT)
    scripted.script(Operation.REFUND_QUERY, scripted.SILENT, scripted.PENDING, queried[later])
    for _look in range(5):
        still_clock.advance(timedelta(seconds=31))
        sweep()
    refund.refresh_from_db()
    returned.refresh_from_db()
    bill = returned.invoice
    bill.refresh_from_db()
    sends = scripted.calls(Operation.REFUND)
    assert set(sends) == {refund.number}
    assert len(rows(bill, "REFUND")) == 1
    if later == "failure":
        assert (refund.status, returned.status, bill.status) == ("DECLINED", "FAILED", "PAID")
        assert subject_balance("refund_payable", refund.pk) == -AMOUNT_FEN
        assert BillingReview.objects.filter(reason_code="refund_declined").count() == 1
        assert bill.events.filter(type="refund_failed").count() == 1
    else:
        assert (refund.status, returned.status, bill.status) == ("SUCCEEDED", "DONE", "REFUNDED")
        assert subject_balance("refund_payable", refund.pk) == 0
        assert len(sends) == (2 if later == "never" else 1)
        assert bill.events.filter(type="refunded").count() == 1


@pytest.mark.proof("T14")
def test_a_refund_never_answered_is_asked_about_for_ever_and_never_sent_anew(
    still_clock: clock.FrozenClock,
) -> None:
    returned, refund = silent_return()
    scripted.script(Operation.REFUND_QUERY, *[scripted.SILENT] * 200)
    for _look in range(60):
        still_clock.advance(timedelta(seconds=601))
        sweep()
    refund.refresh_from_db()
    returned.refresh_from_db()
    assert (refund.status, returned.status) == ("UNKNOWN", "ACCEPTED")
    assert scripted.calls(Operation.REFUND) == [refund.number]
    assert refund.due_at is not None
    assert BillingReview.objects.filter(reason_code="not_ended").count() == 1
