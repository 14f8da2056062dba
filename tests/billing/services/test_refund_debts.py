"""One debt is paid once, whichever of its numbers brings the money, and whoever decides meanwhile.

A line of a bill is returned, not the whole bill: what the payment still holds would refuse a second
refund of a whole one by itself.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction

from billing.channels.base import CAME_BACK, ChannelAnswer, Operation, Source
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance, subject_balance
from billing.models import BillingReview, HisEvent, Invoice, InvoiceReturn, PaymentTransaction
from billing.services.apply import transaction_apply
from billing.services.refunding import refund_reissues
from billing.services.refunding.refund_reissues import refund_hand_out, refund_reissue
from billing.services.review_decisions import refund_review_hand_out, refund_review_reissue
from billing.services.sweeps import transaction_resume
from core.actors import Actor
from core.errors import Conflict
from core.outcomes import Outcome
from patients.models import Notification
from tests import scripted
from tests.billing.services.bills import (
    CLEARING,
    COLLEAGUE,
    LOST,
    REVIEWER,
    ask_back,
    paid,
    part,
    refunds_of,
    reissued,
)

pytestmark = pytest.mark.django_db
DONE = ChannelAnswer(Outcome.SUCCEEDED, channel_no="5030001", amount_fen=1_000)
RETURNED = ChannelAnswer(Outcome.UNKNOWN, code=CAME_BACK)
Again = Callable[..., PaymentTransaction]
ways = pytest.mark.parametrize("again", [refund_hand_out, refund_reissue])
decisions = pytest.mark.parametrize("decide", [refund_review_hand_out, refund_review_reissue])


def refused_part() -> tuple[Invoice, PaymentTransaction]:
    """¥10.00 of a bill of ¥20.00 is to go back, and the channel refused it for good."""
    bill = paid(1_000, 1_000)
    ask_back(bill, part(bill, 0))
    (first,) = refunds_of(bill)
    return bill, sent(first, LOST)


def two_refused() -> tuple[Invoice, PaymentTransaction, PaymentTransaction]:
    """The same, sent again under a second number that was refused as well."""
    bill, first = refused_part()
    scripted.script(Operation.REFUND_QUERY, LOST)
    second = reissued(transaction_id=first.pk, by=REVIEWER)
    return bill, first, sent(second, LOST)


def sent(row: PaymentTransaction, answer: ChannelAnswer) -> PaymentTransaction:
    scripted.script(Operation.REFUND, answer)
    return went_on(row)


def went_on(row: PaymentTransaction) -> PaymentTransaction:
    transaction_resume(transaction_id=row.pk)
    row.refresh_from_db()
    return row


def learnt(row: PaymentTransaction, *answers: ChannelAnswer) -> None:
    for answer in answers:
        row.refresh_from_db()
        transaction_apply(transaction_id=row.pk, answer=answer, source=Source.QUERY, asked_of=row)
    row.refresh_from_db()


def case_about(row: PaymentTransaction) -> BillingReview:
    return BillingReview.objects.get(reason_code="refund_declined", transaction=row)


def refused(again: Again, row: PaymentTransaction, by: Actor = COLLEAGUE) -> str:
    """What a second number is refused with; nothing is left of the try."""
    before = PaymentTransaction.objects.count()
    with pytest.raises(Conflict) as said:
        again(transaction_id=row.pk, by=by)
    assert PaymentTransaction.objects.count() == before
    return said.value.code


def owed_fen(first: PaymentTransaction) -> int:
    return -subject_balance(chart.REFUND_PAYABLE, first.pk)


def drawers_fen() -> int:
    """What left in notes."""
    rows = PaymentTransaction.objects.filter(payment__channel="cash", status="SUCCEEDED")
    shifts = {row.payment.shift.shift_no for row in rows if row.payment.shift is not None}
    return sum(account_balance(chart.cash_drawer(shift_no)) for shift_no in shifts)


def assert_left_once(bill: Invoice, first: PaymentTransaction) -> None:
    """¥10.00 of ¥20.00 went by the channel, nothing in notes, and the books are sound."""
    assert (owed_fen(first), account_balance(CLEARING), drawers_fen()) == (0, 1_000, 0)
    assert ledger_check().violations == ()
    bill.refresh_from_db()
    assert (bill.status, InvoiceReturn.objects.get().status) == ("PARTLY_REFUNDED", "DONE")


@decisions
def test_a_case_is_withdrawn_when_the_debt_is_met(decide: Again) -> None:
    # given two refused numbers of one debt, and the first done after all
    bill, first, second = two_refused()
    case = case_about(second)
    assert case.status == "OPEN"
    learnt(first, DONE)
    # then the case on the second says by which number the money went, and cannot be decided
    case.refresh_from_db()
    assert (case.status, case.decided_by, first.number in case.comment) == (
        "WITHDRAWN",
        "system:system",
        True,
    )
    with pytest.raises(Conflict) as said:
        decide(review_id=case.pk, by=COLLEAGUE, comment="已核对")
    assert said.value.code == "review_closed"
    assert refunds_of(bill) == [first, second]
    assert_left_once(bill, first)


@ways
def test_a_debt_that_is_met_has_no_further_number(again: Again) -> None:
    # also for whoever comes by another way than a case
    bill, first, second = two_refused()
    learnt(first, DONE)
    assert refused(again, second) == "not_owed"
    assert_left_once(bill, first)


@ways
def test_no_number_is_written_while_the_first_is_under_way_again(again: Again) -> None:
    # given two refused numbers, the first done late, then sent back by the payer's bank
    bill, first, second = two_refused()
    learnt(first, DONE, RETURNED)
    assert (first.status, owed_fen(first)) == ("PENDING", 1_000)
    # then it is waited for, and named
    with pytest.raises(Conflict) as said:
        again(transaction_id=second.pk, by=COLLEAGUE)
    assert said.value.code == "issued_again"
    assert first.number in str(said.value.message)
    # when it finds its account, the money left once
    learnt(first, DONE)
    assert refused(again, second) == "not_owed"
    assert_left_once(bill, first)


@ways
@pytest.mark.parametrize("place", [0, 1], ids=["the first told", "the second told"])
def test_no_number_is_written_while_one_is_in_doubt(again: Again, place: int) -> None:
    # given a lost number that a notice tells as done: the channel is to be asked
    bill, *numbers = two_refused()
    told = numbers[place]
    transaction_apply(transaction_id=told.pk, answer=DONE, source=Source.NOTICE)
    assert refused(again, numbers[1]) == "refund_in_doubt"
    # when the channel confirms that it is lost, then another number may be written
    learnt(told, LOST)
    third = again(transaction_id=numbers[1].pk, by=COLLEAGUE)
    assert went_on(third).status == "SUCCEEDED"
    assert (owed_fen(numbers[0]), ledger_check().violations) == (0, ())
    assert account_balance(CLEARING) + drawers_fen() == 1_000
    bill.refresh_from_db()
    assert bill.status == "PARTLY_REFUNDED"


@decisions
def test_every_number_of_the_debt_is_asked_about(decide: Again) -> None:
    # given two refused numbers, and a first that was done without our hearing of it
    bill, first, second = two_refused()
    scripted.CALLS.clear()
    scripted.script(Operation.REFUND_QUERY, DONE)
    # when a colleague decides the case about the second
    with pytest.raises(Conflict) as said:
        decide(review_id=case_about(second).pk, by=COLLEAGUE, comment="已核对")
    # then the first is asked about as well, believed, and nothing further is given
    assert said.value.code == "refund_done"
    assert scripted.calls(Operation.REFUND_QUERY) == [first.number]
    assert case_about(second).status == "WITHDRAWN"
    assert_left_once(bill, first)


def test_notes_decided_on_are_booked_and_no_sweeper_books_any() -> None:
    # given a refused refund that a reviewer hands out, told as done in the moment after
    bill, first = refused_part()
    scripted.script(Operation.REFUND_QUERY, LOST)
    cash = refund_review_hand_out(review_id=case_about(first).pk, by=REVIEWER, comment="已核对")
    assert (cash.status, drawers_fen()) == ("SUCCEEDED", -1_000)
    transaction_apply(transaction_id=first.pk, answer=DONE, source=Source.NOTICE)
    # when the doubt ends as lost and the sweepers come
    learnt(first, LOST)
    went_on(cash)
    # then nothing more is booked, and who was told to hand out was told once
    assert drawers_fen() == -1_000
    assert not PaymentTransaction.objects.filter(
        status__in=PaymentTransaction.IN_FLIGHT, payment__channel="cash"
    ).exists()
    assert not BillingReview.objects.filter(status="OPEN").exists()
    told = HisEvent.objects.filter(invoice=bill, type__startswith="refund").order_by("seq")
    assert [event.type for event in told] == [
        "refund_accepted",
        "refund_failed",
        "refund_accepted",
        "refunded",
    ]


def test_notes_refused_for_a_doubt_leave_nothing_that_is_booked_later() -> None:
    # given a doubt that comes up while the channel is asked for the decision
    bill, first = refused_part()

    def told_meanwhile(_order: object) -> ChannelAnswer:
        transaction_apply(transaction_id=first.pk, answer=DONE, source=Source.NOTICE)
        return LOST

    scripted.script(Operation.REFUND_QUERY, told_meanwhile)
    with pytest.raises(Conflict) as said:
        refund_review_hand_out(review_id=case_about(first).pk, by=REVIEWER, comment="已核对")
    assert said.value.code == "refund_in_doubt"
    # when the doubt ends as lost, and the sweepers have come
    learnt(first, LOST)
    # then the notes are in the drawer, nobody was told of money, and the case still waits
    assert (refunds_of(bill), drawers_fen(), owed_fen(first)) == ([first], 0, 1_000)
    assert case_about(first).status == "OPEN"
    assert not Notification.objects.filter(kind__startswith="refunded").exists()
    told = HisEvent.objects.filter(invoice=bill, type__startswith="refund").order_by("seq")
    assert [event.type for event in told] == ["refund_accepted", "refund_failed"]


def test_the_decision_and_the_booking_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # given a process that dies when the number is written and nothing is booked
    bill, first = refused_part()
    scripted.script(Operation.REFUND_QUERY, LOST, LOST)

    def die(name: str) -> None:
        if name == "hand_out.written":
            raise KeyboardInterrupt

    monkeypatch.setattr(refund_reissues, "failpoint", die)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        refund_review_hand_out(review_id=case_about(first).pk, by=REVIEWER, comment="已核对")
    # then nothing was decided; decided again, it is booked for whoever is told
    assert (case_about(first).status, refunds_of(bill)) == ("OPEN", [first])
    monkeypatch.undo()
    cash = refund_review_hand_out(review_id=case_about(first).pk, by=REVIEWER, comment="已核对")
    assert (cash.status, drawers_fen()) == ("SUCCEEDED", -1_000)
    assert list(Notification.objects.values_list("kind", flat=True))[-1] == "refunded_cash"


def test_a_second_number_the_channel_never_saw_waits_for_the_first_before_it_is_resent() -> None:
    # given a second number whose send never left, and the first under way again since
    bill, first = refused_part()
    scripted.script(Operation.REFUND_QUERY, LOST)
    second = sent(reissued(transaction_id=first.pk, by=REVIEWER), scripted.NOT_SENT)
    assert second.status == "UNKNOWN"
    learnt(first, DONE, RETURNED)
    scripted.CALLS.clear()
    # when the channel says that it has no such refund
    scripted.script(Operation.REFUND_QUERY, scripted.MISSING)
    went_on(second)
    # then it is asked about and not sent; once the first is done, it ends
    assert [verb for verb, _number, _fen in scripted.CALLS] == [Operation.REFUND_QUERY]
    assert second.status == "UNKNOWN"
    learnt(first, DONE)
    scripted.script(Operation.REFUND_QUERY, scripted.MISSING)
    assert went_on(second).code == "NOT_OWED"
    assert_left_once(bill, first)


def test_money_that_left_twice_and_came_back_once_leaves_the_return_done() -> None:
    # given a debt that was paid in notes, and by its first number all the same
    bill, first = refused_part()
    scripted.script(Operation.REFUND_QUERY, LOST)
    cash = went_on(
        refund_review_hand_out(review_id=case_about(first).pk, by=REVIEWER, comment="已核对")
    )
    assert (cash.status, drawers_fen()) == ("SUCCEEDED", -1_000)
    learnt(first, DONE)
    assert (owed_fen(first), account_balance(CLEARING)) == (-1_000, 1_000)
    assert [v.rule for v in ledger_check().violations] == ["refund_left_twice"]
    twice = BillingReview.objects.get(reason_code="refunded_twice")
    assert twice.figures == {"too_much_fen": 1_000}
    # when the payer's bank sends the second one back
    learnt(first, RETURNED)
    # then the books are right, and nobody is told that the patient's money failed
    assert (owed_fen(first), account_balance(CLEARING), drawers_fen()) == (0, 2_000, -1_000)
    assert ledger_check().violations == ()
    assert InvoiceReturn.objects.get().status == "DONE"
    last = HisEvent.objects.filter(invoice=bill).latest("seq")
    assert last.type == "refunded"
    # and nothing invites anybody to send on what came back
    twice.refresh_from_db()
    assert twice.status == "WITHDRAWN" and first.number in twice.comment
    open_ones = BillingReview.objects.filter(status="OPEN").values_list("reason_code", flat=True)
    assert list(open_ones) == ["refund_unowed"]
