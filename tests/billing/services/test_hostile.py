"""What an auditor tried: foreign agreements, money that leaves twice, a sender that slept."""

from __future__ import annotations

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.channels.base import ChannelAnswer, Operation, Source
from billing.ledger import chart
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import subject_balance
from billing.models import (
    Agreement,
    BillingReview,
    Invoice,
    InvoiceReturn,
    Merchant,
    PaymentNotice,
    PaymentTransaction,
)
from billing.services.apply import transaction_apply
from billing.services.collecting.captures import capture_send
from billing.services.invoice_drive import _next_step, invoice_drive
from billing.services.notices.applying import notice_apply
from billing.services.refunding.return_lines import ReturnInput
from billing.services.refunding.returns import return_request
from billing.services.sweeps import transaction_resume, transactions_due
from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.outcomes import Outcome
from patients.models import WalletIdentity
from tests import scripted
from tests.billing.services.bills import reissued
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db

REVIEWER = Actor("staff", "reviewer", "李志强")
CAME_BACK = ChannelAnswer(Outcome.PENDING, code="ABNORMAL")
LOST = ChannelAnswer(Outcome.DECLINED, code="CLOSED", closed=True)


def paid_bill(*amounts_fen: int) -> Invoice:
    bill = invoice(*amounts_fen)
    payments.agreement(bill.patient)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    return bill


def give_back(bill: Invoice, place: int, refund_no: str, **part: Any) -> InvoiceReturn:
    line = bill.lines.select_related("charge").order_by("pk")[place]
    values = {"quantity": Decimal(1), "amount_fen": line.amount_fen} | part
    returned = return_request(
        client=bill.client,
        invoice_no=bill.invoice_no,
        refund_no=refund_no,
        lines=[ReturnInput(charge_no=line.charge.charge_no, **values)],
        reason="drug returned",
        operator=Actor("his", "C1", "收费员"),
        approver=Actor("his", "C2", "组长"),
        input_hash=refund_no,
    )
    for row in PaymentTransaction.objects.filter(invoice_return=returned):
        transaction_resume(transaction_id=row.pk)
    returned.refresh_from_db()
    return returned


def sweep() -> None:
    for transaction_id in transactions_due(limit=10):
        transaction_resume(transaction_id=transaction_id)


def sign_notice(agreement: Agreement, merchant: Merchant, **facts: Any) -> PaymentNotice:
    known: dict[str, Any] = {
        "outcome": "SUCCEEDED",
        "code": "ADD",
        "message": "",
        "channel_no": "",
        "amount_fen": None,
        "occurred_at": None,
        "closed": False,
        "retry_at": None,
        "currency": "CNY",
        "payer_id": "oHolder",
        "contract_id": "c1",
        "plan_id": agreement.plan.plan_id,
        "agreement_active": True,
    }
    return PaymentNotice.objects.create(
        channel="wechat_pay",
        merchant=merchant,
        kind="agreement",
        event_no=f"E{PaymentNotice.objects.count()}",
        number=agreement.contract_code,
        facts=known | facts,
        received_at=clock.now(),
    )


def unsigned_agreement() -> Agreement:
    bill = invoice(1_000)
    holder = payments.user()
    payments.access(bill.patient, holder)
    return payments.signing([bill.patient], holder)


def test_another_merchants_sign_notice_signs_nothing() -> None:
    agreement = unsigned_agreement()
    notice_apply(notice_id=sign_notice(agreement, payments.merchant("1900000002")).pk)
    agreement.refresh_from_db()
    assert agreement.status == "SIGNING"
    assert BillingReview.objects.get().figures == {"differs": "another merchant"}


def test_another_wallet_cannot_sign_for_a_known_holder() -> None:
    agreement = unsigned_agreement()
    merchant = agreement.plan.merchant
    WalletIdentity.objects.create(
        user=agreement.holder,
        channel="wechat_pay",
        app_id=merchant.app_id,
        subject="oHolder",
        created_at=clock.now(),
    )
    notice_apply(notice_id=sign_notice(agreement, merchant, payer_id="oOther").pk)
    agreement.refresh_from_db()
    assert (agreement.status, agreement.payer_id) == ("ENDED", "")


def test_one_contract_of_the_channel_is_one_agreement() -> None:
    first, second = unsigned_agreement(), unsigned_agreement()
    for agreement in (first, second):
        notice_apply(notice_id=sign_notice(agreement, agreement.plan.merchant).pk)
        agreement.refresh_from_db()
    assert (first.status, second.status) == ("ACTIVE", "SIGNING")


def test_a_declined_refund_is_asked_about_before_a_second_number_leaves() -> None:
    bill = paid_bill(1_000)
    scripted.script(Operation.REFUND, LOST)
    assert give_back(bill, 0, "F1").status == "FAILED"
    first = PaymentTransaction.objects.get(kind="REFUND")
    # when the channel now says that the first one was done
    scripted.script(Operation.REFUND_QUERY, scripted.PAID)
    with pytest.raises(Conflict):
        reissued(transaction_id=first.pk, by=REVIEWER)
    # then it is done, once
    assert PaymentTransaction.objects.get(kind="REFUND").status == "SUCCEEDED"
    assert InvoiceReturn.objects.get().status == "DONE"
    # and while the channel does not know, nothing leaves either
    assert subject_balance(chart.REFUND_PAYABLE, first.pk) == 0


def test_money_that_left_twice_is_a_question_and_a_violation() -> None:
    bill = paid_bill(1_000)
    scripted.script(Operation.REFUND, LOST)
    give_back(bill, 0, "F1")
    first = PaymentTransaction.objects.get(kind="REFUND")
    scripted.script(Operation.REFUND_QUERY, LOST)
    again = reissued(transaction_id=first.pk, by=REVIEWER)
    transaction_resume(transaction_id=again.pk)
    # when the channel corrects itself about the first number
    transaction_apply(
        transaction_id=first.pk, answer=scripted.PAID, source=Source.QUERY, asked_of=first
    )
    assert BillingReview.objects.filter(reason_code="refunded_twice").count() == 1
    assert [v.rule for v in ledger_check().violations] == ["refund_left_twice"]


def test_two_refunds_that_came_back_end_one_after_the_other() -> None:
    bill = paid_bill(1_000, 2_000)
    give_back(bill, 0, "F1")
    give_back(bill, 1, "F2")
    bill.refresh_from_db()
    assert bill.status == "REFUNDED"
    rows = list(PaymentTransaction.objects.filter(kind="REFUND").order_by("pk"))
    for row in rows:
        transaction_apply(transaction_id=row.pk, answer=CAME_BACK, source=Source.QUERY)
    bill.refresh_from_db()
    assert bill.status == "PARTLY_REFUNDED"
    for row in rows:
        scripted.script(Operation.REFUND_QUERY, scripted.PAID)
        transaction_resume(transaction_id=row.pk)
    bill.refresh_from_db()
    assert bill.status == "REFUNDED"
    assert ledger_check().violations == ()


def test_a_sender_that_slept_past_the_giving_up_sends_nothing(
    still_clock: clock.FrozenClock,
) -> None:
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    payments.collect(bill)
    step = _next_step(bill.pk)  # its number is committed; the process sleeps here
    assert step is not None
    scripted.script(Operation.QUERY, scripted.MISSING, scripted.MISSING)
    for _again in range(3):
        still_clock.advance(timedelta(seconds=16))
        sweep()
    assert len(scripted.calls(Operation.CAPTURE)) == 1  # the second try
    answer = capture_send(row=step.row, invoice=step.invoice)
    assert (answer.code, answer.executed) == ("NOT_SENT_IN_TIME", False)
    assert len(scripted.calls(Operation.CAPTURE)) == 1
    step.row.refresh_from_db()
    assert step.row.due_at is not None  # looked at once more at its deadline


def test_the_second_try_keeps_the_agreements_terms(still_clock: clock.FrozenClock) -> None:
    bill = invoice(1_000)
    plan = payments.plan(hours_from=time(7), hours_until=time(22), plan_id="day")
    payments.agreement(bill.patient, plan=plan)
    still_clock.advance(timedelta(hours=11, minutes=59, seconds=50))
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    scripted.script(Operation.QUERY, *[scripted.MISSING] * 3)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    for _again in range(3):
        still_clock.advance(timedelta(seconds=11))
        sweep()
    bill.refresh_from_db()
    assert len(scripted.calls(Operation.CAPTURE)) == 1
    assert bill.status == "ISSUED"


def test_dust_does_not_add_up_to_more_than_its_share() -> None:
    bill = paid_bill(100)
    give_back(bill, 0, "F1", quantity=Decimal("0.0001"), amount_fen=1)
    with pytest.raises(Conflict):
        give_back(bill, 0, "F2", quantity=Decimal("0.0001"), amount_fen=1)


def test_a_number_that_joined_a_running_collect_answers_like_it_for_ever() -> None:
    # given a collect in flight and a second one that joined it
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    first = payments.collect(bill, request_no="R-first")
    invoice_drive(invoice_id=bill.pk)
    assert payments.collect(bill, request_no="R-joined").pk == first.pk
    # when the first ends unpaid and the second number is sent again
    scripted.script(Operation.QUERY, scripted.DECLINED)
    transaction_resume(transaction_id=PaymentTransaction.objects.get().pk)
    again = payments.collect(bill, request_no="R-joined")
    # then it starts nothing new
    assert again.pk == first.pk
    assert PaymentTransaction.objects.count() == 1
