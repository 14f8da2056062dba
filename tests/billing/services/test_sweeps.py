"""What a lost task left behind is found, leased, looked at and brought to its end, once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.channels.base import Operation, Source
from billing.ledger.selectors import account_balance
from billing.models import PaymentTransaction
from billing.policy import policy
from billing.services.apply import transaction_apply
from billing.services.sweeps import transaction_resume, transactions_due
from core import clock
from tests import scripted
from tests.billing.services.bills import (
    CLEARING,
    ask_back,
    capture_of,
    in_flight,
    paid,
    refunds_of,
)

pytestmark = pytest.mark.django_db


def sweep() -> list[int]:
    found = transactions_due(limit=10)
    for transaction_id in found:
        transaction_resume(transaction_id=transaction_id)
    return found


def test_an_open_capture_is_due_three_seconds_after_its_send_and_then_leased(
    still_clock: clock.FrozenClock,
) -> None:
    row = capture_of(in_flight())
    still_clock.advance(timedelta(seconds=2))
    assert transactions_due(limit=10) == []
    still_clock.advance(timedelta(seconds=1))
    assert transactions_due(limit=10) == [row.pk]
    assert transactions_due(limit=10) == []
    # a killed worker's row comes due again when its lease ends
    still_clock.advance(timedelta(seconds=policy().lease_s))
    assert transactions_due(limit=10) == [row.pk]


def test_the_longest_overdue_come_first_and_no_more_than_asked(
    still_clock: clock.FrozenClock,
) -> None:
    rows = [capture_of(in_flight()) for _bill in range(3)]
    now = clock.now()
    for row, late_s in zip(rows, (1, 3, 2), strict=True):
        due_at = now - timedelta(seconds=late_s)
        PaymentTransaction.objects.filter(pk=row.pk).update(due_at=due_at)
    assert sorted(transactions_due(limit=2)) == sorted([rows[1].pk, rows[2].pk])
    assert transactions_due(limit=2) == [rows[0].pk]


def test_a_lost_notice_ends_within_thirty_seconds(still_clock: clock.FrozenClock) -> None:
    # given a deduction whose notice is lost, and a channel that has not ended it
    bill = in_flight()
    begun, asked_at = clock.now(), []
    # when the sweeper runs every second
    for second in range(1, 100):
        still_clock.advance(timedelta(seconds=1))
        if sweep():
            asked_at.append(second)
    # then the channel is asked at these ages, and every half minute afterwards
    assert asked_at == [3, 5, 10, 20, 30, 60, 90]
    scripted.script(Operation.QUERY, scripted.PAID)
    still_clock.advance(timedelta(seconds=21))
    sweep()
    bill.refresh_from_db()
    assert bill.status == "PAID"
    assert clock.now() - begun == timedelta(seconds=120)


def test_what_has_ended_is_neither_due_nor_asked_about(still_clock: clock.FrozenClock) -> None:
    row = capture_of(paid(1_000))
    scripted.CALLS.clear()
    transaction_resume(transaction_id=row.pk)
    transaction_resume(transaction_id=row.pk + 1_000)
    still_clock.advance(timedelta(days=1))
    assert transactions_due(limit=10) == []
    assert scripted.CALLS == []


def test_a_refund_nobody_sent_is_sent_and_one_in_progress_is_asked_about(
    still_clock: clock.FrozenClock,
) -> None:
    bill = paid(1_000)
    ask_back(bill)
    refund = refunds_of(bill)[0]
    assert account_balance(CLEARING) == 1_000
    scripted.script(Operation.REFUND, scripted.PENDING)
    assert sweep() == [refund.pk]
    assert (refunds_of(bill)[0].status, account_balance(CLEARING)) == ("PENDING", 1_000)
    scripted.script(Operation.REFUND_QUERY, scripted.PAID)
    still_clock.advance(timedelta(seconds=3))
    assert sweep() == [refund.pk]
    assert (refunds_of(bill)[0].status, account_balance(CLEARING)) == ("SUCCEEDED", 0)
    assert scripted.calls(Operation.REFUND) == [refund.number]


def test_an_order_given_up_that_turns_up_is_closed_there_and_pays_nothing(
    still_clock: clock.FrozenClock,
) -> None:
    # given a capture given up as never executed, its bill paid by the second try
    bill = in_flight(answer=scripted.SILENT)
    first = capture_of(bill)
    scripted.script(Operation.QUERY, scripted.MISSING, scripted.MISSING)
    for _look in range(2):
        still_clock.advance(timedelta(seconds=16))
        sweep()
    bill.refresh_from_db()
    assert (bill.status, len(scripted.calls(Operation.CAPTURE))) == ("PAID", 2)
    first.refresh_from_db()
    assert (first.status, first.due_at) == ("CLOSED", first.expires_at)
    # when it is looked at once more at its deadline, and the channel has it after all
    assert first.due_at is not None
    still_clock.advance(first.due_at - clock.now())
    assert sweep() == [first.pk]
    # then it is closed at the channel, and that was the last look
    assert scripted.calls(Operation.CLOSE) == [first.number]
    first.refresh_from_db()
    assert (first.status, first.due_at) == ("CLOSED", None)
    assert account_balance(CLEARING) == 1_000


def test_an_order_given_up_that_the_channel_speaks_of_is_closed_before_its_deadline(
    still_clock: clock.FrozenClock,
) -> None:
    bill = in_flight(answer=scripted.SILENT)
    first = capture_of(bill)
    scripted.script(Operation.QUERY, scripted.MISSING, scripted.MISSING)
    for _look in range(2):
        still_clock.advance(timedelta(seconds=16))
        sweep()
    # when a notice says that it is in progress
    transaction_apply(transaction_id=first.pk, answer=scripted.PENDING, source=Source.NOTICE)
    first.refresh_from_db()
    assert first.due_at is not None
    assert first.due_at < first.expires_at
    still_clock.advance(first.due_at - clock.now())
    sweep()
    # then nobody waits for its deadline: it is wanted no more
    assert scripted.calls(Operation.CLOSE) == [first.number]
    first.refresh_from_db()
    assert (first.status, first.due_at) == ("CLOSED", None)


def test_money_of_an_order_given_up_goes_back_by_itself(still_clock: clock.FrozenClock) -> None:
    bill = in_flight(answer=scripted.SILENT)
    first = capture_of(bill)
    scripted.script(Operation.QUERY, scripted.MISSING, scripted.MISSING)
    for _look in range(2):
        still_clock.advance(timedelta(seconds=16))
        sweep()
    scripted.script(Operation.QUERY, scripted.PAID)
    still_clock.advance(first.expires_at - clock.now())
    sweep()
    assert account_balance(CLEARING) == 2_000
    sweep()
    refund = refunds_of(bill)[0]
    assert (refund.original_id, refund.amount_fen, refund.status) == (first.pk, 1_000, "SUCCEEDED")
    assert (account_balance(CLEARING), account_balance("unapplied")) == (1_000, 0)
