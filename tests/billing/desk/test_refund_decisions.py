"""What a clerk reads who decides about a refused refund: when to hand notes out, and when not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from billing.channels.base import ChannelAnswer, Operation, Source
from billing.ledger import chart
from billing.ledger.selectors import account_balance, subject_balance
from billing.models import BillingReview, Invoice, PaymentTransaction, Shift
from billing.services.apply import transaction_apply
from billing.services.refunding.refund_reissues import refund_reissue
from billing.services.review_decisions import refund_review_hand_out
from billing.services.sweeps import transaction_resume
from core.outcomes import Outcome
from tests import scripted
from tests.billing.desk.people import browser, text
from tests.billing.services.bills import LOST, REVIEWER, ask_back, paid, part, refunds_of

pytestmark = pytest.mark.django_db
DONE = ChannelAnswer(Outcome.SUCCEEDED, channel_no="5030001", amount_fen=1_000)


@pytest.fixture
def refused() -> tuple[Invoice, PaymentTransaction, BillingReview]:
    """¥10.00 of a bill of ¥20.00 that the channel refuses to give back, and the case about it."""
    bill = paid(1_000, 1_000)
    ask_back(bill, part(bill, 0))
    (first,) = refunds_of(bill)
    ended(first)
    return bill, first, BillingReview.objects.get(reason_code="refund_declined")


def ended(row: PaymentTransaction) -> None:
    scripted.script(Operation.REFUND, LOST)
    transaction_resume(transaction_id=row.pk)
    row.refresh_from_db()
    assert row.status == "CLOSED"


def done_late(row: PaymentTransaction) -> None:
    transaction_apply(transaction_id=row.pk, answer=DONE, source=Source.QUERY, asked_of=row)


def press(client: Client, case: BillingReview, verdict: str = "reject") -> Any:
    form = {"verdict": verdict, "comment": "患者已签字"}
    return client.post(f"/admin/desk/reviews/{case.pk}", form, follow=True)


def test_notes_are_booked_while_the_clerk_waits(refused: Any) -> None:
    # given a refund lost for good
    bill, first, case = refused
    scripted.script(Operation.REFUND_QUERY, LOST)
    # when a reviewer hands it out
    said = text(press(browser("reviewer"), case))
    # then the page is the word to do so, and the books say so already
    assert "¥10.00" in said and "已从您的钱箱记账支出，现在可以交给患者" in said
    cash = refunds_of(bill)[-1]
    assert (cash.status, cash.reissue_of_id) == ("SUCCEEDED", first.pk)
    drawer = chart.cash_drawer(Shift.objects.get().shift_no)
    assert (account_balance(drawer), subject_balance(chart.REFUND_PAYABLE, first.pk)) == (-1_000, 0)
    # and the worker books nothing more
    transaction_resume(transaction_id=cash.pk)
    assert account_balance(drawer) == -1_000


def test_notes_stay_where_the_channel_gave_the_money_in_that_moment(refused: Any) -> None:
    # given a first number that is done between the question and the decision
    bill, first, case = refused

    def done_meanwhile(_order: object) -> ChannelAnswer:
        done_late(first)
        return LOST

    scripted.script(Operation.REFUND_QUERY, done_meanwhile)
    # when the reviewer hands it out
    answer = press(browser("reviewer"), case)
    # then the page says that it went back already, and nothing was written or booked
    said = text(answer)
    assert answer.status_code == 409
    assert f"款项已由 {first.number} 退回" in said and "现在可以交给患者" not in said
    assert refunds_of(bill) == [first]
    assert not Shift.objects.exists()
    assert subject_balance(chart.REFUND_PAYABLE, first.pk) == 0


def test_who_did_not_see_the_page_reads_in_the_case_what_was_booked(refused: Any) -> None:
    # given a decision whose page never came: its process died once it was booked
    bill, first, case = refused
    scripted.script(Operation.REFUND_QUERY, LOST)
    refund_review_hand_out(review_id=case.pk, by=REVIEWER, comment="已核对")
    # when the reviewer presses again
    answer = press(browser("reviewer"), case)
    # then nothing more is booked, and the case says what is to be handed out
    cash = refunds_of(bill)[-1]
    said = text(answer)
    assert answer.status_code == 409 and "此事已有决定" in said
    assert f"单号 {cash.number}" in said and "¥10.00" in said
    assert "如患者尚未签收，请现在交付" in said
    drawer = chart.cash_drawer(Shift.objects.get().shift_no)
    assert (account_balance(drawer), subject_balance(chart.REFUND_PAYABLE, first.pk)) == (-1_000, 0)


def test_a_page_left_open_says_by_which_number_the_money_went(refused: Any) -> None:
    # given a reviewer who looks at the case when the refund is done after all
    _bill, first, case = refused
    reviewer = browser("reviewer")
    assert "窗口退现金" in text(reviewer.get(f"/admin/desk/reviews/{case.pk}"))
    done_late(first)
    # when they press
    answer = press(reviewer, case)
    # then nothing is decided, and the case says why
    assert answer.status_code == 409
    said = text(answer)
    assert "此事已有决定" in said and f"款项已由 {first.number} 退回" in said
    assert "窗口退现金" not in said


def test_a_clerk_reads_which_number_is_waited_for(refused: Any) -> None:
    # given a second number on its way, and a case about the first that a colleague left open
    bill, first, case = refused
    refund_reissue(transaction_id=first.pk, by=REVIEWER)
    second = refunds_of(bill)[-1]
    scripted.script(Operation.REFUND_QUERY, LOST)
    answer = press(browser("reviewer"), case)
    assert answer.status_code == 409
    assert f"这笔钱正在由 {second.number} 退回" in text(answer)
    # and when the channel tells a lost one as done, that it is being asked
    ended(second)
    transaction_apply(transaction_id=second.pk, answer=DONE, source=Source.NOTICE)
    scripted.script(Operation.REFUND_QUERY, LOST, LOST)
    answer = press(browser("reviewer"), case)
    assert answer.status_code == 409
    assert f"{second.number} 有已退成功的消息，正在向渠道核实" in text(answer)
    assert len(refunds_of(bill)) == 2
