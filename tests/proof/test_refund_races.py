"""T1: many refunds of one payment at once give back what was taken, and no more."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import transaction

from billing.channels.base import Operation
from billing.ledger.selectors import account_balance
from billing.locks import transaction_lock
from billing.models import Invoice, InvoiceReturn, PaymentTransaction
from billing.services.invoice_drive import invoice_drive
from billing.services.refunding.refunds import refund_begin
from billing.services.refunding.returns import ReturnInput, return_request
from billing.services.sweeps import transaction_resume
from core.actors import Actor
from core.errors import Refusal
from tests import scripted
from tests.conftest import ProofReport, ProofScale
from tests.factories import payments
from tests.factories.billing import invoice
from tests.proof.books import faults
from tests.proof.crowd import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.proof("T1"),
    pytest.mark.usefixtures("scripted_channel"),
]

PIECES, PIECE_FEN = 100, 123
TAKEN_FEN = PIECES * PIECE_FEN
ASKER, APPROVER = Actor("his", "C1", "收费员"), Actor("his", "C2", "组长")
_numbers = itertools.count(1)


def paid_bill() -> tuple[Invoice, PaymentTransaction]:
    """One charge of a hundred pieces, paid by one deduction."""
    bill = invoice(TAKEN_FEN, quantity=Decimal(PIECES))
    payments.agreement(bill.patient)
    payments.collect(bill)
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    assert bill.status == "PAID"
    return bill, PaymentTransaction.objects.get(payment__invoice=bill)


def give_back(bill: Invoice, pieces: int | None) -> Callable[[], InvoiceReturn]:
    """A return of its own number: so many pieces, or all that is left."""
    number = f"RF{next(_numbers)}"
    charge_no = bill.lines.get().charge.charge_no
    lines = (
        None if pieces is None else [ReturnInput(charge_no, Decimal(pieces), pieces * PIECE_FEN)]
    )
    return lambda: return_request(
        client=bill.client,
        invoice_no=bill.invoice_no,
        refund_no=number,
        lines=lines,
        reason="退药",
        operator=ASKER,
        approver=APPROVER,
        input_hash=f"{number}{pieces}",
    )


def leave(bill: Invoice) -> None:
    """The channel gives back what we owe."""
    rows = PaymentTransaction.objects.filter(payment__invoice=bill, kind="REFUND")
    for row in rows.filter(status__in=PaymentTransaction.IN_FLIGHT):
        transaction_resume(transaction_id=row.pk)


def left_the_house() -> int:
    return sum(fen for verb, _number, fen in scripted.CALLS if verb == Operation.REFUND)


def accepted(answers: list[Any]) -> list[Any]:
    """Everything else was refused in words."""
    yes = [answer for answer in answers if not isinstance(answer, Exception)]
    odd = [a for a in answers if isinstance(a, Exception) and not isinstance(a, Refusal)]
    assert not odd, odd[:3]
    return yes


def test_parallel_full_returns_give_back_once(
    proof_scale: ProofScale, proof_report: ProofReport
) -> None:
    rounds, crowd = proof_scale(20, least=2), proof_scale(200, least=10)
    once = 0
    for _round in range(rounds):
        scripted.reset()
        bill, _capture = paid_bill()
        before = account_balance("clearing/wechat_pay/1900000001")
        answers = at_once([give_back(bill, None) for _ in range(crowd)])
        done = accepted(answers)
        leave(bill)
        bill.refresh_from_db()
        assert [row.amount_fen for row in done] == [TAKEN_FEN]
        assert left_the_house() == TAKEN_FEN
        assert before - account_balance("clearing/wechat_pay/1900000001") == TAKEN_FEN
        assert bill.status == "REFUNDED"
        once += 1
    assert faults() == []
    proof_report("T1.full_refunds_once", f"{once}/{rounds}", f"{rounds}/{rounds}", once == rounds)


def test_parallel_part_returns_stay_within_the_payment(
    proof_scale: ProofScale, proof_report: ProofReport
) -> None:
    rounds, crowd = proof_scale(20, least=2), proof_scale(200, least=12)
    random = Random(20261120)
    within = 0
    for _round in range(rounds):
        scripted.reset()
        bill, _capture = paid_bill()
        pieces = [random.choice((None, 7, 20, 33, 50, 100)) for _ in range(crowd)]
        done = accepted(at_once([give_back(bill, count) for count in pieces]))
        leave(bill)
        bill.refresh_from_db()
        asked = sum(row.amount_fen for row in done)
        assert 0 < asked == left_the_house() <= TAKEN_FEN
        assert bill.status == ("REFUNDED" if asked == TAKEN_FEN else "PARTLY_REFUNDED")
        assert bill.lines.get().returned_fen == asked
        within += 1
    assert faults() == []
    proof_report("T1.refunded_within", f"{within}/{rounds}", f"{rounds}/{rounds}", within == rounds)


def test_parallel_refund_parts_stay_within_the_payment(proof_scale: ProofScale) -> None:
    _bill, capture = paid_bill()
    random = Random(7)

    def begin(amount_fen: int) -> int:
        with transaction.atomic():
            row, _invoice = transaction_lock(capture.pk)
            return refund_begin(original=row, amount_fen=amount_fen).amount_fen

    amounts = [random.choice((TAKEN_FEN, 1, TAKEN_FEN // 3, TAKEN_FEN - 1)) for _ in range(200)]
    crowd = proof_scale(200, least=12)
    begun = accepted(at_once([lambda fen=fen: begin(fen) for fen in amounts[:crowd]]))
    assert 0 < sum(begun) <= TAKEN_FEN
    rows = PaymentTransaction.objects.filter(kind="REFUND")
    assert sorted(begun) == sorted(rows.values_list("amount_fen", flat=True))
