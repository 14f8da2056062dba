"""A refund that reached the payer's bank and came back (退票) is owed again, under its number."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.channels.base import ChannelAnswer, Operation, Source
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance, subject_balance
from billing.models import (
    BillingReview,
    HisEvent,
    Invoice,
    InvoiceReturn,
    PaymentTransaction,
)
from billing.services.apply import transaction_apply
from billing.services.invoice_drive import invoice_drive
from billing.services.refunding.return_lines import ReturnInput
from billing.services.refunding.returns import return_request
from billing.services.review_decisions import refund_review_reissue
from billing.services.sweeps import transaction_resume
from core import clock
from core.actors import Actor
from core.outcomes import Outcome
from tests import scripted
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db

CLEARING = "clearing/wechat_pay/1900000001"
CAME_BACK = ChannelAnswer(Outcome.PENDING, code="ABNORMAL")


def paid_bill(*amounts_fen: int) -> Invoice:
    bill = invoice(*amounts_fen)
    payments.agreement(bill.patient)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    assert bill.status == "PAID"
    return bill


def give_back(bill: Invoice) -> InvoiceReturn:
    """Return the first charge through the HIS's door, and let its refund be sent."""
    line = bill.lines.select_related("charge").order_by("pk")[0]
    returned = return_request(
        client=bill.client,
        invoice_no=bill.invoice_no,
        refund_no="F1",
        lines=[ReturnInput(line.charge.charge_no, Decimal(1), line.amount_fen)],
        reason="drug returned",
        operator=Actor("his", "C1", "收费员"),
        approver=Actor("his", "C2", "组长"),
        input_hash="h",
    )
    for row in PaymentTransaction.objects.filter(invoice_return=returned):
        transaction_resume(transaction_id=row.pk)
    returned.refresh_from_db()
    return returned


def refund_row() -> PaymentTransaction:
    return PaymentTransaction.objects.get(kind="REFUND")


def events() -> list[str]:
    return list(HisEvent.objects.order_by("seq").values_list("type", flat=True))


def test_money_that_came_back_is_owed_again_and_ends_under_the_same_number() -> None:
    # given a bill of ¥30 with a return of ¥10 that was refunded
    bill = paid_bill(1_000, 2_000)
    returned = give_back(bill)
    assert returned.status == "DONE"
    assert account_balance(CLEARING) == 2_000
    # when the payer's bank sends it back, told twice
    for _twice in range(2):
        transaction_apply(transaction_id=refund_row().pk, answer=CAME_BACK, source=Source.NOTICE)
    # then we hold it and owe it, once, and a person is asked
    row = refund_row()
    returned.refresh_from_db()
    assert (row.status, returned.status) == ("PENDING", "ACCEPTED")
    assert account_balance(CLEARING) == 3_000
    assert subject_balance(chart.REFUND_PAYABLE, row.pk) == -1_000
    assert BillingReview.objects.filter(reason_code="refund_abnormal").count() == 1
    # when the channel has found another account for it
    scripted.script(Operation.REFUND_QUERY, scripted.PAID)
    transaction_resume(transaction_id=row.pk)
    # then it is refunded for good, and never under a second number
    returned.refresh_from_db()
    assert (refund_row().status, returned.status) == ("SUCCEEDED", "DONE")
    assert account_balance(CLEARING) == 2_000
    assert len(scripted.calls(Operation.REFUND)) == 1
    assert events()[-4:] == ["refund_accepted", "refunded", "refund_failed", "refunded"]
    assert ledger_check().unbalanced == 0


def test_a_first_success_told_late_is_asked_about_after_the_money_came_back() -> None:
    # given a refund that came back, and its first success told only now
    bill = paid_bill(1_000, 2_000)
    give_back(bill)
    transaction_apply(transaction_id=refund_row().pk, answer=CAME_BACK, source=Source.NOTICE)
    told = ChannelAnswer(Outcome.SUCCEEDED, channel_no="5030001", amount_fen=1_000)
    transaction_apply(transaction_id=refund_row().pk, answer=told, source=Source.NOTICE)
    # then it is not believed: the money stays owed, and the channel is asked at once
    row = refund_row()
    assert (row.status, row.due_at) == ("PENDING", clock.now())
    assert subject_balance(chart.REFUND_PAYABLE, row.pk) == -1_000
    scripted.script(Operation.REFUND_QUERY, CAME_BACK)
    transaction_resume(transaction_id=row.pk)
    assert refund_row().status == "PENDING"
    assert subject_balance(chart.REFUND_PAYABLE, row.pk) == -1_000


TOLD = ChannelAnswer(Outcome.SUCCEEDED, channel_no="5030001", amount_fen=1_000)
LOST = ChannelAnswer(Outcome.DECLINED, code="CLOSED", closed=True)
REVIEWER = Actor("staff", "reviewer", "李志强")


def sent_row() -> PaymentTransaction:
    """A refund of ¥10 that was sent and not ended."""
    scripted.script(Operation.REFUND, scripted.PENDING)
    give_back(paid_bill(1_000))
    return refund_row()


def learnt(row: PaymentTransaction, *answers: ChannelAnswer) -> None:
    """What questions are answered with, one asked after the other."""
    for answer in answers:
        row.refresh_from_db()
        transaction_apply(transaction_id=row.pk, answer=answer, source=Source.QUERY, asked_of=row)
    row.refresh_from_db()


def asked(row: PaymentTransaction, answer: ChannelAnswer) -> None:
    """The sweeper asks, and is answered so."""
    scripted.script(Operation.REFUND_QUERY, answer)
    transaction_resume(transaction_id=row.pk)
    row.refresh_from_db()


def owed_fen(row: PaymentTransaction) -> int:
    return -subject_balance(chart.REFUND_PAYABLE, row.pk)


@pytest.mark.parametrize("known", [True, False], ids=["success learnt", "success never learnt"])
@pytest.mark.parametrize(
    "ends", [LOST, scripted.DECLINED, None], ids=["closed", "declined", "open"]
)
def test_an_old_success_is_never_believed_whatever_followed_the_return(
    known: bool, ends: ChannelAnswer | None
) -> None:
    # given a refund that came back, whether or not its success had been learnt, and its end
    row = sent_row()
    learnt(row, *([TOLD] if known else []), CAME_BACK, *([ends] if ends else []))
    before = row.status
    # when the channel repeats the notice of the first success
    transaction_apply(transaction_id=row.pk, answer=TOLD, source=Source.NOTICE)
    # then nothing is believed, and the channel is asked at once
    row.refresh_from_db()
    assert (row.status, row.due_at, owed_fen(row)) == (before, clock.now(), 1_000)
    asked(row, ends or CAME_BACK)
    assert (row.status, owed_fen(row)) == (before, 1_000)
    assert InvoiceReturn.objects.get().status == ("FAILED" if ends else "ACCEPTED")
    assert account_balance(CLEARING) == 1_000
    assert (row.due_at is None) == (ends is not None)


def test_a_number_after_a_returned_one_reaches_the_payer_despite_the_old_success() -> None:
    # given a refund that came back, was closed, and was issued again
    row = sent_row()
    learnt(row, TOLD, CAME_BACK, LOST)
    scripted.script(Operation.REFUND_QUERY, LOST)
    case = BillingReview.objects.get(reason_code="refund_declined")
    again = refund_review_reissue(review_id=case.pk, by=REVIEWER, comment="已核对")
    # when the old success is told before the second leaves: it waits for what the channel says
    transaction_apply(transaction_id=row.pk, answer=TOLD, source=Source.NOTICE)
    scripted.CALLS.clear()
    transaction_resume(transaction_id=again.pk)
    assert scripted.CALLS == []
    # when the channel says nothing, then it is asked again; when it confirms, the second leaves
    asked(row, scripted.SILENT)
    assert row.due_at is not None
    transaction_resume(transaction_id=again.pk)
    assert scripted.calls(Operation.REFUND) == []
    asked(row, LOST)
    scripted.script(Operation.REFUND_QUERY, LOST)  # the first is asked about as the second leaves
    transaction_resume(transaction_id=again.pk)
    again.refresh_from_db()
    assert scripted.calls(Operation.REFUND) == [again.number]
    assert (row.status, again.status, owed_fen(row)) == ("CLOSED", "SUCCEEDED", 0)
    assert (account_balance(CLEARING), InvoiceReturn.objects.get().status) == (0, "DONE")
    # when it is told once more, then nobody is told that money left twice
    transaction_apply(transaction_id=row.pk, answer=TOLD, source=Source.NOTICE)
    asked(row, LOST)
    assert not BillingReview.objects.filter(reason_code="refunded_twice").exists()
    assert (account_balance(CLEARING), ledger_check().violations) == (0, ())


def test_a_lost_number_that_the_channel_says_was_done_is_done() -> None:
    row = sent_row()
    learnt(row, TOLD, CAME_BACK, LOST)
    transaction_apply(transaction_id=row.pk, answer=TOLD, source=Source.NOTICE)
    asked(row, TOLD)
    assert (row.status, owed_fen(row), account_balance(CLEARING)) == ("SUCCEEDED", 0, 0)
    # and told again, it is not looked at for ever
    transaction_apply(transaction_id=row.pk, answer=TOLD, source=Source.NOTICE)
    row.refresh_from_db()
    assert row.due_at is None


def test_a_lost_number_in_doubt_is_never_sent_again() -> None:
    # given a doubt about a closed refund of which the channel now knows nothing
    row = sent_row()
    learnt(row, TOLD, CAME_BACK, LOST)
    transaction_apply(transaction_id=row.pk, answer=TOLD, source=Source.NOTICE)
    scripted.CALLS.clear()
    asked(row, scripted.MISSING)
    assert scripted.calls(Operation.REFUND) == []
    assert (row.status, row.due_at, owed_fen(row)) == ("CLOSED", None, 1_000)


@pytest.mark.parametrize("ends", [CAME_BACK, LOST], ids=["came back", "closed"])
def test_an_answer_on_its_way_when_the_money_came_back_is_no_proof(ends: ChannelAnswer) -> None:
    # given a question asked before the money came back, and answered after
    row = sent_row()

    def meanwhile(_order: object) -> ChannelAnswer:
        learnt(row, TOLD, CAME_BACK, ends)
        return TOLD

    scripted.script(Operation.REFUND_QUERY, meanwhile)
    transaction_resume(transaction_id=row.pk)
    # then its success moves nothing and is asked about
    row.refresh_from_db()
    assert row.status == ("PENDING" if ends is CAME_BACK else "CLOSED")
    assert (owed_fen(row), row.due_at) == (1_000, clock.now())
    # a question asked since proves it
    asked(row, TOLD)
    assert (row.status, owed_fen(row)) == ("SUCCEEDED", 0)


def test_refund_declined_for_good_stays_owed_and_asks_a_person() -> None:
    bill = paid_bill(1_000)
    scripted.script(Operation.REFUND, scripted.DECLINED)
    returned = give_back(bill)
    assert returned.status == "FAILED"
    assert subject_balance(chart.REFUND_PAYABLE, refund_row().pk) == -1_000
    assert BillingReview.objects.get().reason_code == "refund_declined"
    assert events()[-1] == "refund_failed"
