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


def test_refund_declined_for_good_stays_owed_and_asks_a_person() -> None:
    bill = paid_bill(1_000)
    scripted.script(Operation.REFUND, scripted.DECLINED)
    returned = give_back(bill)
    assert returned.status == "FAILED"
    assert subject_balance(chart.REFUND_PAYABLE, refund_row().pk) == -1_000
    assert BillingReview.objects.get().reason_code == "refund_declined"
    assert events()[-1] == "refund_failed"
