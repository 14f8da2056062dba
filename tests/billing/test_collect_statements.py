"""Collecting, issuing and returning send as many statements for a hundred lines as for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.ledger.accounts import accounts_resolve
from billing.models import Invoice, InvoiceReturn, PaymentTransaction
from billing.services.invoice_drive import invoice_drive
from billing.services.refunding.returns import return_request
from billing.services.sweeps import transaction_resume
from core.actors import Actor
from patients.models import Notification
from tests import scripted
from tests.factories import billing, payments
from tests.factories.patients import encounter

SIZES = (1, 10, 100)
COLLECT_MAX = 13
APPROVER = Actor("his", "C2", "审批员")
ACCOUNTS = [
    "patient_receivable",
    "medical_revenue",
    "refund_payable",
    "clearing/wechat_pay/1900000001",
]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def instant_channel(settings: Any) -> Iterator[None]:
    """A channel in process, and the accounts a process learns with its first bill."""
    settings.PAYMENT_CHANNELS = {"wechat_pay": "tests.scripted.ScriptedChannel"}
    scripted.reset()
    accounts_resolve(ACCOUNTS)
    yield
    scripted.reset()


def statements(call: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        call()
    skipped = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
    return sum(not str(one["sql"]).startswith(skipped) for one in captured)


def payable(lines: int) -> Invoice:
    """A bill of so many lines whose patient pays by agreement."""
    visit = encounter()
    payments.agreement(visit.patient)
    return billing.invoice(*([100] * lines), of=visit)


def collect(bill: Invoice) -> None:
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)


def test_a_collect_sends_as_many_statements_for_any_number_of_lines() -> None:
    bills = {lines: payable(lines) for lines in SIZES}
    counted = {lines: statements(lambda bill=bill: collect(bill)) for lines, bill in bills.items()}
    assert len(set(counted.values())) == 1, counted
    assert counted[1] <= COLLECT_MAX, counted
    for lines, bill in bills.items():
        bill.refresh_from_db()
        taken = PaymentTransaction.objects.get(payment__invoice=bill)
        assert (bill.status, taken.status, taken.amount_fen) == ("PAID", "SUCCEEDED", 100 * lines)
    assert Notification.objects.filter(kind="deducted").count() == len(SIZES)


def test_telling_a_patient_without_an_account_costs_no_further_statement() -> None:
    counted = []
    for relation in ("self", "child"):
        visit = encounter()
        payments.agreement(visit.patient, relation=relation)
        bill = billing.invoice(100, of=visit)
        counted.append(statements(lambda bill=bill: collect(bill)))
    assert counted[0] == counted[1] <= COLLECT_MAX, counted
    assert Notification.objects.filter(kind="paid", user=None, messenger="sms").count() == 1


def test_an_issue_sends_as_many_statements_for_any_number_of_lines() -> None:
    counted = {}
    for lines in SIZES:
        visit = encounter()
        for _ in range(lines):
            billing.charge(visit, 100)
        counted[lines] = statements(lambda visit=visit: issue(visit))
    assert len(set(counted.values())) == 1, counted
    assert counted[1] <= 12, counted


def issue(visit: Any) -> None:
    billing.invoice_issue(
        client=visit.client,
        encounter_no=visit.encounter_no,
        invoice_no=f"I-{visit.pk}",
        operator=billing.OPERATOR,
        input_hash="",
    )


def test_a_return_and_its_refund_send_as_many_statements_for_any_number_of_lines() -> None:
    asked, refunded = {}, {}
    for lines in SIZES:
        bill = payable(lines)
        collect(bill)
        asked[lines] = statements(lambda bill=bill: give_back(bill))
        refund = PaymentTransaction.objects.get(payment__invoice=bill, kind="REFUND")
        refunded[lines] = statements(lambda refund=refund: resume(refund))
        refund.refresh_from_db()
        bill.refresh_from_db()
        assert (refund.status, refund.amount_fen) == ("SUCCEEDED", 100 * lines)
        assert bill.status == "REFUNDED"
    assert len(set(asked.values())) == 1, asked
    assert len(set(refunded.values())) == 1, refunded
    assert asked[1] <= 25, asked
    assert refunded[1] <= 25, refunded
    assert set(InvoiceReturn.objects.values_list("status", flat=True)) == {"DONE"}


def give_back(bill: Invoice) -> None:
    return_request(
        client=bill.client,
        invoice_no=bill.invoice_no,
        refund_no=f"R-{bill.pk}",
        lines=None,
        reason="not done",
        operator=billing.OPERATOR,
        approver=APPROVER,
        input_hash="",
    )


def resume(row: PaymentTransaction) -> None:
    transaction_resume(transaction_id=row.pk)
