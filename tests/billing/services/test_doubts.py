"""What was told as done after its end stays to be asked about, until a look that began with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.channels.base import ChannelAnswer, Notice, NoticeKind, Operation, Source
from billing.ledger.chart import REFUND_PAYABLE
from billing.ledger.selectors import subject_balance
from billing.models import PaymentNotice, PaymentTransaction
from billing.services.apply import transaction_apply
from billing.services.invoice_drive import invoice_drive
from billing.services.notices.applying import notice_apply
from billing.services.notices.facts import facts_of
from billing.services.sweeps import transaction_resume
from core import clock
from core.outcomes import Outcome
from tests import scripted
from tests.billing.services.bills import (
    LOST,
    REVIEWER,
    ask_back,
    capture_of,
    paid,
    part,
    refunds_of,
    reissued,
)
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db
DONE = ChannelAnswer(Outcome.SUCCEEDED, channel_no="5030001", amount_fen=1_000)


def refused_and_sent_again() -> tuple[PaymentTransaction, PaymentTransaction]:
    """A refund of 1,000 fen closed by the channel, and its second number, not yet sent."""
    bill = paid(1_000, 1_000)
    ask_back(bill, part(bill, 0))
    (first,) = refunds_of(bill)
    scripted.script(Operation.REFUND, LOST)
    transaction_resume(transaction_id=first.pk)
    scripted.script(Operation.REFUND_QUERY, LOST)
    return fresh(first), reissued(transaction_id=first.pk, by=REVIEWER)


def fresh(row: PaymentTransaction) -> PaymentTransaction:
    return PaymentTransaction.objects.get(pk=row.pk)


def noticed(row: PaymentTransaction, event_no: str, answer: ChannelAnswer) -> None:
    """A notice about a refund comes by its door, and is applied."""
    assert row.original is not None
    told = Notice(
        kind=NoticeKind.REFUND,
        event_no=event_no,
        merchant_no="1900000001",
        app_id="",
        number=row.number,
        original_number=row.original.number,
        answer=answer,
    )
    notice = PaymentNotice.objects.create(
        channel="wechat_pay",
        merchant=row.payment.merchant,
        kind="refund",
        event_no=event_no,
        number=row.number,
        facts=facts_of(told),
        received_at=clock.now(),
    )
    notice_apply(notice_id=notice.pk)


def test_a_late_closed_notice_takes_no_doubt_away(still_clock: clock.FrozenClock) -> None:
    # given a first number told as done after its end, and a channel that does not answer
    first, second = refused_and_sent_again()
    scripted.script(Operation.REFUND_QUERY, scripted.SILENT)
    noticed(first, "E2", DONE)
    assert fresh(first).due_at is not None
    # when the notice of its end comes late
    noticed(first, "E1", LOST)
    # then it is still to be asked about, and the second number does not leave
    assert (fresh(first).status, fresh(first).due_at is not None) == ("CLOSED", True)
    transaction_resume(transaction_id=second.pk)
    assert fresh(second).status == "CREATED"
    # and what the channel says to the next look ends it
    scripted.script(Operation.REFUND_QUERY, DONE)
    transaction_resume(transaction_id=first.pk)
    assert (fresh(first).status, fresh(first).due_at) == ("SUCCEEDED", None)


def test_a_first_number_done_unheard_keeps_the_second_from_leaving() -> None:
    # given a first number that was done after the decision, of which nobody told
    first, second = refused_and_sent_again()
    scripted.script(Operation.REFUND_QUERY, scripted.SILENT, DONE, scripted.MISSING)
    # when the second is to leave and the channel does not say how the first stands, it waits
    transaction_resume(transaction_id=second.pk)
    assert (fresh(first).status, fresh(second).status) == ("CLOSED", "CREATED")
    # when the channel says so, the first is booked and the second never sent
    transaction_resume(transaction_id=second.pk)
    assert (fresh(first).status, fresh(second).code) == ("SUCCEEDED", "NOT_OWED")
    assert scripted.calls(Operation.REFUND) == [first.number]
    assert subject_balance(REFUND_PAYABLE, first.pk) == 0


@pytest.mark.parametrize("said", [LOST, scripted.MISSING])
def test_a_look_that_began_before_it_was_told_again_ends_no_doubt(
    still_clock: clock.FrozenClock, said: ChannelAnswer
) -> None:
    # given a doubt about which the channel is being asked
    first, _second = refused_and_sent_again()
    transaction_apply(transaction_id=first.pk, answer=DONE, source=Source.NOTICE)
    asked_of = fresh(first)
    # when it is told as done again before that look is answered
    still_clock.advance(timedelta(seconds=1))
    transaction_apply(transaction_id=first.pk, answer=DONE, source=Source.NOTICE)
    look = {"answer": said, "source": Source.QUERY, "asked_of": asked_of}
    transaction_apply(transaction_id=first.pk, **look)
    # then it stays to be asked about
    assert fresh(first).due_at is not None
    # and a look that began with it ends it
    look["asked_of"] = fresh(first)
    transaction_apply(transaction_id=first.pk, **look)
    assert fresh(first).due_at is None


def test_a_scanned_code_told_as_paid_during_its_last_look_is_asked_about_again(
    still_clock: clock.FrozenClock,
) -> None:
    # given a code the channel knew nothing of, at its last look
    bill = invoice(1_000)
    payments.merchant()
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    payments.collect(bill, "scan", auth_code="130000000000000001")
    invoice_drive(invoice_id=bill.pk)
    row = capture_of(bill)
    for _look in range(2):
        still_clock.advance(timedelta(seconds=11))
        scripted.script(Operation.QUERY, scripted.MISSING)
        transaction_resume(transaction_id=row.pk)
    assert (fresh(row).status, fresh(row).code) == ("CLOSED", "NEVER_EXECUTED")
    still_clock.advance(row.expires_at - clock.now() + timedelta(seconds=1))

    def told_meanwhile(_order: object) -> ChannelAnswer:
        transaction_apply(transaction_id=row.pk, answer=scripted.PAID, source=Source.SEND)
        return scripted.MISSING

    # when its success is told while the reverse is out, whose answer knows no such order
    scripted.script(Operation.QUERY, scripted.MISSING)
    scripted.script(Operation.REVERSE, told_meanwhile)
    transaction_resume(transaction_id=row.pk)
    # then it is looked at once more
    assert fresh(row).due_at is not None
