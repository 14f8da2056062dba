"""Refunds: never above what a payment holds, and asked about before they are sent again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction

from billing.channels.base import ChannelAnswer, Operation, Source
from billing.locks import invoice_lock
from billing.models import BillingReview, Invoice, PaymentTransaction
from billing.selectors.payments import refundable_fen
from billing.services.apply import transaction_apply
from billing.services.refunding.refunds import refund_begin, refund_resume
from billing.services.sweeps import transaction_resume
from core import clock
from core.errors import Conflict
from core.money import format_yuan
from core.outcomes import Outcome
from tests import scripted
from tests.billing.services.bills import (
    LOST,
    REVIEWER,
    ask_back,
    capture_of,
    declined,
    in_flight,
    paid,
    part,
    refunds_of,
    reissued,
)

pytestmark = pytest.mark.django_db
DONE = ChannelAnswer(Outcome.SUCCEEDED, channel_no="5030001", amount_fen=1_000)


def begun(bill: Invoice, amount_fen: int) -> PaymentTransaction:
    with transaction.atomic():
        invoice_lock(bill.pk)
        return refund_begin(original=capture_of(bill), amount_fen=amount_fen)


def test_no_more_than_a_payment_holds_counting_what_is_on_its_way() -> None:
    bill = paid(1_000)
    assert refundable_fen(capture_of(bill)) == 1_000
    begun(bill, 400)
    assert refundable_fen(capture_of(bill)) == 600
    with pytest.raises(Conflict) as refused:
        begun(bill, 601)
    assert (refused.value.code, refused.value.field) == ("not_refundable", "amount_fen")
    begun(bill, 600)
    with pytest.raises(Conflict):
        begun(bill, 1)


def test_a_payment_that_has_not_succeeded_holds_nothing() -> None:
    bill = in_flight(1_000)
    assert refundable_fen(capture_of(bill)) == 0
    with pytest.raises(Conflict):
        begun(bill, 1)


def test_a_lost_refund_frees_its_amount() -> None:
    bill = paid(1_000)
    declined(bill)
    assert refundable_fen(capture_of(bill)) == 1_000


def test_refunds_of_one_order_leave_a_minute_apart(
    still_clock: clock.FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted.ScriptedChannel, "refund_gap_s", 60)
    bill = paid(1_000)
    now = clock.now()
    assert begun(bill, 100).due_at == now
    assert begun(bill, 100).due_at == now + timedelta(seconds=61)
    assert begun(bill, 100).due_at == now + timedelta(seconds=122)
    still_clock.advance(timedelta(hours=1))
    assert begun(bill, 100).due_at == clock.now()


@pytest.mark.parametrize(
    ("status", "asked", "calls", "source"),
    [
        ("CREATED", [], ["refund"], Source.SEND),
        ("UNKNOWN", [scripted.MISSING], ["refund_query", "refund"], Source.SEND),
        ("UNKNOWN", [scripted.SILENT], ["refund_query"], Source.QUERY),
        ("PENDING", [scripted.PENDING], ["refund_query"], Source.QUERY),
        ("UNKNOWN", [scripted.PAID], ["refund_query"], Source.QUERY),
        ("UNKNOWN", [LOST], ["refund_query"], Source.QUERY),
    ],
    ids=["new", "not_there", "no_answer", "in_progress", "done", "lost"],
)
def test_one_number_is_asked_about_before_it_is_sent_again(
    status: str, asked: list[ChannelAnswer], calls: list[str], source: Source
) -> None:
    bill = paid(1_000)
    ask_back(bill)
    row = refunds_of(bill)[0]
    row.status = status
    scripted.CALLS.clear()
    scripted.script(Operation.REFUND_QUERY, *asked)
    _answer, came_by = refund_resume(row=row)
    assert came_by is source
    assert [(verb, number) for verb, number, _fen in scripted.CALLS] == [
        (verb, row.number) for verb in calls
    ]


@pytest.mark.parametrize("back_fen", [400, 600])
def test_once_money_left_twice_a_refusal_names_the_case(back_fen: int) -> None:
    # given a bill in two parts, one of which went back under two numbers
    bill = paid(back_fen, 1_000 - back_fen)
    ask_back(bill, part(bill, 0))
    scripted.script(Operation.REFUND, LOST)
    (first,) = refunds_of(bill)
    transaction_resume(transaction_id=first.pk)
    scripted.script(Operation.REFUND_QUERY, LOST)
    again = reissued(transaction_id=first.pk, by=REVIEWER)
    transaction_resume(transaction_id=again.pk)
    done = ChannelAnswer(Outcome.SUCCEEDED, channel_no="5030001", amount_fen=back_fen)
    first.refresh_from_db()
    transaction_apply(transaction_id=first.pk, answer=done, source=Source.QUERY, asked_of=first)
    case = BillingReview.objects.get(reason_code="refunded_twice")
    # when the other part is asked back, or a refund begun
    assert refundable_fen(capture_of(bill)) == max(1_000 - 2 * back_fen, 0)
    for call in (
        lambda: ask_back(bill, part(bill, 1), refund_no="F2"),
        lambda: begun(bill, 1_000 - back_fen),
    ):
        # then it is said what happened, and where it is decided
        with pytest.raises(Conflict) as refused:
            call()
        assert refused.value.code == "refunded_twice"
        said = str(refused.value.message)
        assert format_yuan(back_fen) in said and f" {case.pk} " in said
    assert len(refunds_of(bill)) == 2
