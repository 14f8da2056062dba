"""A decision, the worker and a late success meet over one debt, with real threads and commits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from billing.channels.base import ChannelAnswer, Operation, Source
from billing.ledger import chart
from billing.ledger.accounts import accounts_forget
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance, subject_balance
from billing.models import BillingReview, Invoice, PaymentTransaction
from billing.services.apply import transaction_apply
from billing.services.refunding.refund_reissues import refund_hand_out
from billing.services.review_decisions import refund_review_hand_out, refund_review_reissue
from billing.services.sweeps import transaction_resume
from core.errors import Conflict
from core.outcomes import Outcome
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
from tests.proof.crowd import at_once

pytestmark = pytest.mark.django_db(transaction=True)
DONE = ChannelAnswer(Outcome.SUCCEEDED, channel_no="5030001", amount_fen=1_000)
PATIENCE_S = 60


@pytest.fixture(autouse=True)
def fresh_accounts() -> Iterator[None]:
    """The tables are emptied between these tests, so what the process knows of them is not."""
    accounts_forget()
    yield
    accounts_forget()


def two_refused() -> tuple[Invoice, PaymentTransaction, PaymentTransaction]:
    """¥10.00 of a bill of ¥20.00 is owed back; two numbers of the debt were refused for good."""
    bill = paid(1_000, 1_000)
    ask_back(bill, part(bill, 0), refund_no=f"F{bill.pk}")
    (first,) = refunds_of(bill)
    scripted.script(Operation.REFUND, LOST, LOST)
    transaction_resume(transaction_id=first.pk)
    scripted.script(Operation.REFUND_QUERY, LOST)
    second = reissued(transaction_id=first.pk, by=REVIEWER)
    transaction_resume(transaction_id=second.pk)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("CLOSED", "CLOSED")
    return bill, first, second


def done_late(row: PaymentTransaction) -> None:
    transaction_apply(transaction_id=row.pk, answer=DONE, source=Source.QUERY, asked_of=row)


def while_it_commits(first: PaymentTransaction, call: Callable[[], Any]) -> Any:
    """What a call ends with that meets the late success of `first` before it is committed."""
    said: list[Any] = []

    def run() -> None:
        try:
            said.append(call())
        except Conflict as refusal:
            said.append(refusal.code)
        finally:
            connection.close()

    with transaction.atomic():
        done_late(first)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        wait_for_a_waiter()
    thread.join(timeout=PATIENCE_S)
    assert said, "the call hangs"
    return said[0]


def wait_for_a_waiter() -> None:
    """Until another connection waits for a lock of this one."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone()[0]:
                return
        time.sleep(0.02)
    raise AssertionError("nobody waited")


def owed_fen(first: PaymentTransaction) -> int:
    return -subject_balance(chart.REFUND_PAYABLE, first.pk)


def assert_left_once(first: PaymentTransaction) -> None:
    assert (owed_fen(first), account_balance(CLEARING)) == (0, 1_000)
    assert ledger_check().violations == ()


def test_a_number_is_not_written_on_a_success_that_commits_meanwhile() -> None:
    bill, first, second = two_refused()
    code = while_it_commits(first, lambda: refund_hand_out(transaction_id=second.pk, by=COLLEAGUE))
    assert code == "not_owed"
    assert refunds_of(bill) == [first, second]
    assert_left_once(first)


@pytest.mark.parametrize("decide", [refund_review_hand_out, refund_review_reissue])
def test_a_decision_after_the_question_sees_the_success(decide: Callable[..., Any]) -> None:
    # given a decision whose question to the channel is answered while the first number is done
    bill, first, second = two_refused()
    case = BillingReview.objects.get(transaction=second, status="OPEN")
    asked, gone = threading.Event(), threading.Event()

    def slowly(_order: object) -> ChannelAnswer:
        asked.set()
        gone.wait(PATIENCE_S)
        return LOST

    scripted.script(Operation.REFUND_QUERY, LOST, slowly)

    def press() -> str:
        with pytest.raises(Conflict) as said:
            decide(review_id=case.pk, by=COLLEAGUE, comment="已核对")
        return said.value.code

    def succeed() -> str:
        assert asked.wait(PATIENCE_S)
        done_late(first)
        gone.set()
        return "done"

    # then it is refused, and the case is withdrawn
    assert at_once([press, succeed]) == ["not_owed", "done"]
    case.refresh_from_db()
    assert (case.status, refunds_of(bill)) == ("WITHDRAWN", [first, second])
    assert_left_once(first)


def test_many_who_hand_out_and_a_late_success_give_the_money_once_or_name_it() -> None:
    named = 0
    for _round in range(3):
        scripted.reset()
        bill, first, second = two_refused()
        before = account_balance(CLEARING)
        case = BillingReview.objects.get(transaction=second, status="OPEN")
        scripted.script(Operation.REFUND_QUERY, *[LOST] * 10)
        press = [
            lambda pk=case.pk: refund_review_hand_out(review_id=pk, by=COLLEAGUE, comment="已核对")
        ] * 4
        answers = at_once([*press, lambda row=first: done_late(row)])
        assert all(isinstance(one, Conflict | PaymentTransaction | None) for one in answers)
        # then whoever was told to hand out was told by what is booked, at most once
        told = [one for one in answers if isinstance(one, PaymentTransaction)]
        notes = [row for row in refunds_of(bill) if row.payment.channel == "cash"]
        assert told == notes and len(told) <= 1
        assert [row.status for row in notes] == ["SUCCEEDED"] * len(told)
        # and where the channel, which had called it lost, gave it later, it is said to be twice
        assert (owed_fen(first), before - account_balance(CLEARING)) == (-1_000 * len(told), 1_000)
        twice = BillingReview.objects.filter(invoice=bill, reason_code="refunded_twice")
        assert twice.count() == len(told)
        named += len(told)
        broken = [violation.rule for violation in ledger_check().violations]
        assert broken == ["refund_left_twice"] * named
