"""The tender chain: who pays, in which order, and what stops it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.channels.base import Operation
from billing.ledger.checking import ledger_check
from billing.ledger.selectors import account_balance
from billing.models import HisEvent, Invoice, PaymentTransaction
from billing.selectors.collects import collect_answer
from billing.selectors.invoices import invoice_body
from billing.selectors.payments import receivable_fen
from billing.services.invoice_drive import invoice_drive
from billing.services.sweeps import transaction_resume
from core import clock
from tests import scripted
from tests.factories import payments
from tests.factories.billing import invoice

pytestmark = pytest.mark.django_db


def events(bill: Invoice) -> list[str]:
    return list(
        HisEvent.objects.filter(invoice=bill).order_by("seq").values_list("type", flat=True)
    )


def drive(bill: Invoice) -> Invoice:
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    return bill


def captures(bill: Invoice) -> list[PaymentTransaction]:
    return list(PaymentTransaction.objects.filter(payment__invoice=bill).order_by("pk"))


def resume(row: PaymentTransaction) -> None:
    transaction_resume(transaction_id=row.pk)


def test_signed_agreement_pays_the_whole_bill() -> None:
    # given a bill of ¥123.45 and the patient's own agreement
    bill = invoice(12_000, 345)
    payments.agreement(bill.patient)
    # when the HIS collects
    collect = payments.collect(bill)
    drive(bill)
    # then it is paid, by one deduction of exactly the bill
    collect.refresh_from_db()
    assert bill.status == "PAID"
    assert collect_answer(collect) == {"result": "paid"}
    assert [call[2] for call in scripted.CALLS] == [12_345]
    assert receivable_fen(bill) == 0
    assert events(bill) == ["priced", "paid"]
    assert ledger_check().unbalanced == 0
    assert account_balance("clearing/wechat_pay/1900000001") == 12_345


def test_declined_agreement_falls_to_the_next_and_then_to_the_pay_link() -> None:
    bill = invoice(1_000)
    first = payments.agreement(bill.patient, preference=1)
    second = payments.agreement(bill.patient, relation="child", preference=2)
    scripted.script(Operation.CAPTURE, scripted.DECLINED, scripted.DECLINED)
    collect = payments.collect(bill)
    drive(bill)
    collect.refresh_from_db()
    assert [row.agreement_id for row in captures(bill)] == [first.pk, second.pk]
    assert {row.status for row in captures(bill)} == {"DECLINED"}
    assert bill.status == "ISSUED"
    answer = collect_answer(collect)
    assert answer["result"] == "action_required"
    assert answer["action"]["type"] == "url"
    assert answer["reason"] == invoice_body(bill)["reason"] == "not_enough_money"
    assert {row.code for row in captures(bill)} == {"NOTENOUGH"}
    assert events(bill) == ["priced", "action_required"]
    assert receivable_fen(bill) == 1_000


@pytest.mark.parametrize("method", ["auto", "agreement"])
def test_no_agreement_offers_the_pay_link_without_any_call(method: str) -> None:
    bill = invoice(1_000)
    collect = payments.collect(bill, method=method)
    drive(bill)
    collect.refresh_from_db()
    assert collect_answer(collect)["result"] == "action_required"
    # And who reads the bill only is told why, with where to pay
    read = invoice_body(bill)
    assert (read["status"], read["reason"]) == ("ISSUED", "no_agreement")
    assert read["action"]["type"] == "url"
    assert scripted.CALLS == []


@pytest.mark.parametrize(
    "terms",
    [
        {"single_fen": 999},
        {"daily_fen": 999},
        {"daily_count": 0},
        {"hours_from": "11:00", "hours_until": "22:00"},
    ],
    ids=["single", "daily", "count", "hours"],
)
def test_agreement_outside_its_terms_is_skipped_not_tried(terms: dict[str, object]) -> None:
    bill = invoice(1_000)
    plan = payments.plan(plan_id="narrow", **terms)
    plan.refresh_from_db()
    payments.agreement(bill.patient, plan=plan)
    payments.collect(bill)
    drive(bill)
    assert bill.status == "ISSUED"
    assert scripted.CALLS == []


def test_daily_limit_counts_what_is_pending_and_unknown() -> None:
    # given a daily limit of ¥15 and a deduction of ¥10 whose answer did not come
    first = invoice(1_000)
    agreement = payments.agreement(first.patient, own_daily_fen=1_500)
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    payments.collect(first)
    drive(first)
    assert first.status == "COLLECTING"
    # when another bill of ¥10 of the same patient is collected
    second = invoice(1_000, of=first.encounter)
    payments.collect(second)
    drive(second)
    # then the limit already holds the unknown one
    assert second.status == "ISSUED"
    assert len(scripted.calls(Operation.CAPTURE)) == 1
    assert agreement.status == "ACTIVE"


@pytest.mark.parametrize("first", [scripted.PENDING, scripted.SILENT], ids=["pending", "unknown"])
def test_open_tender_stops_the_chain(first: scripted.Answer) -> None:
    bill = invoice(1_000)
    payments.agreement(bill.patient, preference=1)
    payments.agreement(bill.patient, relation="child", preference=2)
    scripted.script(Operation.CAPTURE, first)
    collect = payments.collect(bill)
    for _again in range(3):
        drive(bill)
    assert bill.status == "COLLECTING"
    assert collect_answer(collect) == {"result": "processing"}
    assert len(scripted.calls(Operation.CAPTURE)) == 1


def test_unknown_then_query_success_pays_once() -> None:
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, scripted.SILENT)
    scripted.script(Operation.QUERY, scripted.PAID)
    payments.collect(bill)
    drive(bill)
    row = captures(bill)[0]
    assert row.due_at == clock.now() + timedelta(seconds=3)
    resume(row)
    bill.refresh_from_db()
    assert bill.status == "PAID"
    assert len(scripted.calls(Operation.CAPTURE)) == 1
    assert events(bill) == ["priced", "paid"]


def test_never_executed_is_tried_once_more_under_a_new_number(
    still_clock: clock.FrozenClock,
) -> None:
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, scripted.SILENT, scripted.PAID)
    scripted.script(Operation.QUERY, scripted.MISSING, scripted.MISSING)
    payments.collect(bill)
    drive(bill)
    # when the channel does not know the order at 3 s: that may still be the send on its way
    still_clock.advance(timedelta(seconds=3))
    resume(captures(bill)[0])
    assert len(captures(bill)) == 1
    # and still not at 12 s
    still_clock.advance(timedelta(seconds=9))
    resume(captures(bill)[0])
    bill.refresh_from_db()
    assert [row.status for row in captures(bill)] == ["CLOSED", "SUCCEEDED"]
    assert len(set(scripted.calls(Operation.CAPTURE))) == 2
    assert bill.status == "PAID"


def test_never_executed_twice_goes_on_to_the_pay_link() -> None:
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, scripted.NOT_SENT, scripted.NOT_SENT)
    payments.collect(bill)
    drive(bill)
    assert [row.status for row in captures(bill)] == ["CLOSED", "CLOSED"]
    assert bill.status == "ISSUED"


def test_deadline_closes_the_tender_and_the_chain_goes_on(still_clock: clock.FrozenClock) -> None:
    bill = invoice(1_000)
    payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    payments.collect(bill)
    drive(bill)
    still_clock.advance(timedelta(seconds=901))
    resume(captures(bill)[0])
    bill.refresh_from_db()
    assert scripted.calls(Operation.CLOSE) == scripted.calls(Operation.CAPTURE)
    assert captures(bill)[0].status == "CLOSED"
    assert bill.status == "ISSUED"


def test_scan_takes_the_code_given_and_is_reversed_at_its_deadline(
    still_clock: clock.FrozenClock,
) -> None:
    bill = invoice(1_000)
    payments.merchant()
    scripted.script(Operation.CAPTURE, scripted.PENDING)
    collect = payments.collect(bill, "scan", auth_code="130000000000000001")
    drive(bill)
    still_clock.advance(timedelta(seconds=46))
    resume(captures(bill)[0])
    bill.refresh_from_db()
    collect.refresh_from_db()
    assert len(scripted.calls(Operation.REVERSE)) == 1
    assert bill.status == "ISSUED"
    assert collect_answer(collect)["result"] == "declined"
    assert collect.auth_code == ""


def test_cash_opens_the_shift_and_lands_in_its_drawer() -> None:
    bill = invoice(1_000)
    payments.collect(bill, "cash")
    drive(bill)
    assert bill.status == "PAID"
    shift = captures(bill)[0].payment.shift
    assert shift is not None
    assert shift.cashier == "his:C1"
    assert account_balance(f"cash_drawer/{shift.shift_no}") == 1_000
