"""A second number of a debt stays here while the first may still bring the money."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.channels.base import CAME_BACK, ChannelAnswer, Operation, Source
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance, subject_balance
from billing.models import BillingReview, PaymentTransaction
from billing.policy import policy
from billing.services.apply import transaction_apply
from billing.services.sweeps import transaction_resume
from core import clock
from core.outcomes import Outcome
from tests import scripted
from tests.billing.services.bills import CLEARING, LOST, REVIEWER, declined, paid, reissued

pytestmark = pytest.mark.django_db
DONE = ChannelAnswer(Outcome.SUCCEEDED, channel_no="5030001", amount_fen=1_000)
RETURNED = ChannelAnswer(Outcome.UNKNOWN, code=CAME_BACK)


def two_numbers() -> tuple[PaymentTransaction, PaymentTransaction]:
    """The first was refused, its second written, then the first was done after all and came back:
    it may be done once more, as soon as the payer's account is mended."""
    first = declined(paid(1_000))
    scripted.script(Operation.REFUND_QUERY, LOST)
    second = reissued(transaction_id=first.pk, by=REVIEWER)
    for answer in (DONE, RETURNED):
        first = transaction_apply(
            transaction_id=first.pk, answer=answer, source=Source.QUERY, asked_of=first
        )
    assert first.status in PaymentTransaction.IN_FLIGHT
    assert subject_balance(chart.REFUND_PAYABLE, first.pk) == -1_000
    scripted.CALLS.clear()
    return first, second


def test_nothing_leaves_while_the_first_is_under_way_again() -> None:
    # given both numbers of one debt, the first under way again
    first, second = two_numbers()
    # when the second's time to be sent comes
    transaction_resume(transaction_id=second.pk)
    # then it was not sent
    assert Operation.REFUND not in [verb for verb, _number, _fen in scripted.CALLS]
    # and when the first is done the second ends, and the money left once
    transaction_apply(transaction_id=first.pk, answer=DONE, source=Source.QUERY, asked_of=first)
    scripted.script(Operation.REFUND_QUERY, scripted.MISSING)
    transaction_resume(transaction_id=second.pk)
    second.refresh_from_db()
    assert (second.status, second.code) == ("CLOSED", "NOT_OWED")
    assert (subject_balance(chart.REFUND_PAYABLE, first.pk), account_balance(CLEARING)) == (0, 0)
    assert ledger_check().sound


def test_the_second_leaves_once_the_first_is_lost_for_good() -> None:
    first, second = two_numbers()
    transaction_apply(
        transaction_id=first.pk,
        answer=ChannelAnswer(Outcome.DECLINED, code="CLOSED", closed=True),
        source=Source.QUERY,
    )
    transaction_resume(transaction_id=second.pk)
    second.refresh_from_db()
    assert second.status == "SUCCEEDED"
    assert (subject_balance(chart.REFUND_PAYABLE, first.pk), account_balance(CLEARING)) == (0, 0)
    assert ledger_check().sound


def test_of_a_first_number_nobody_answers_for_a_person_is_told_once() -> None:
    # given a second number, and a channel that has not said for hours how the first stands
    first = declined(paid(1_000))
    scripted.script(Operation.REFUND_QUERY, LOST)
    second = reissued(transaction_id=first.pk, by=REVIEWER)
    asked = timedelta(seconds=policy().slow_after_s)
    for waits in (asked / 2, asked * 2, asked * 3):
        since = clock.now() - waits
        PaymentTransaction.objects.filter(pk=second.pk).update(created_at=since)
        scripted.script(Operation.REFUND_QUERY, scripted.SILENT)
        transaction_resume(transaction_id=second.pk)
        assert BillingReview.objects.filter(transaction=second).exists() is (waits > asked)
    # then nothing was sent, and one case says for which number it waits
    second.refresh_from_db()
    assert second.status == "CREATED"
    case = BillingReview.objects.get(transaction=second)
    assert case.reason_code == "not_ended"
    assert case.figures == {"code": "EARLIER_UNSURE", "number": first.number}
    # and when the channel has it lost the second leaves by itself
    scripted.script(Operation.REFUND_QUERY, LOST)
    transaction_resume(transaction_id=second.pk)
    second.refresh_from_db()
    assert second.status == "SUCCEEDED"
    assert (subject_balance(chart.REFUND_PAYABLE, first.pk), account_balance(CLEARING)) == (0, 0)


@pytest.mark.parametrize("amount_fen", [900, 1_000])
def test_a_success_that_is_not_believed_lets_no_second_number_leave(amount_fen: int) -> None:
    # given a second number, and a first one of which the channel says that it was done: with
    # another sum, or in an answer that is older than a notice by which it was done and came back
    first = declined(paid(1_000))
    scripted.script(Operation.REFUND_QUERY, LOST)
    second = reissued(transaction_id=first.pk, by=REVIEWER)
    scripted.CALLS.clear()
    told = ChannelAnswer(Outcome.SUCCEEDED, channel_no="5030001", amount_fen=amount_fen)

    def answered(_order: object) -> ChannelAnswer:
        row = PaymentTransaction.objects.get(pk=first.pk)
        for answer in (DONE, RETURNED) if amount_fen == 1_000 else ():
            row = transaction_apply(
                transaction_id=row.pk, answer=answer, source=Source.QUERY, asked_of=row
            )
        return told

    scripted.script(Operation.REFUND_QUERY, answered)
    # when the second's time comes
    transaction_resume(transaction_id=second.pk)
    # then it stays here
    assert Operation.REFUND not in [verb for verb, _number, _fen in scripted.CALLS]
    second.refresh_from_db()
    assert second.status == "CREATED"
