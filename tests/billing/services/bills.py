"""Bills brought to a state by the services themselves, for tests that begin there."""

from __future__ import annotations

from decimal import Decimal

from billing.channels.base import ChannelAnswer, Operation
from billing.models import Invoice, InvoiceReturn, PaymentTransaction
from billing.services.invoice_drive import invoice_drive
from billing.services.refunding.refund_reissues import refund_lost_confirm, refund_reissue
from billing.services.refunding.return_lines import ReturnInput
from billing.services.refunding.returns import return_request
from billing.services.sweeps import transaction_resume
from core.actors import Actor
from core.outcomes import Outcome
from tests import scripted
from tests.factories import payments
from tests.factories.billing import invoice

LOST = ChannelAnswer(Outcome.DECLINED, code="CLOSED", closed=True)
CLEARING = "clearing/wechat_pay/1900000001"
ASKER = Actor("his", "C1", "收费员")
APPROVER = Actor("his", "C2", "组长")
REVIEWER = Actor("staff", "reviewer", "李志强")
COLLEAGUE = Actor("staff", "colleague", "周敏")


def driven(bill: Invoice) -> Invoice:
    invoice_drive(invoice_id=bill.pk)
    bill.refresh_from_db()
    return bill


def paid(*amounts_fen: int) -> Invoice:
    """A bill its patient's agreement has paid."""
    bill = invoice(*amounts_fen)
    payments.agreement(bill.patient)
    payments.collect(bill)
    assert driven(bill).status == "PAID"
    return bill


def in_flight(amount_fen: int = 1_000, answer: ChannelAnswer = scripted.PENDING) -> Invoice:
    """A bill whose one deduction the channel has not ended."""
    bill = invoice(amount_fen)
    payments.agreement(bill.patient)
    scripted.script(Operation.CAPTURE, answer)
    payments.collect(bill)
    assert driven(bill).status == "COLLECTING"
    return bill


def capture_of(bill: Invoice) -> PaymentTransaction:
    """The newest capture of a bill."""
    return PaymentTransaction.objects.filter(payment__invoice=bill, kind="CAPTURE").latest("pk")


def refunds_of(bill: Invoice) -> list[PaymentTransaction]:
    return list(
        PaymentTransaction.objects.filter(payment__invoice=bill, kind="REFUND").order_by("pk")
    )


def part(bill: Invoice, place: int, quantity: str = "1", amount_fen: int = 0) -> ReturnInput:
    """So much of the line at this place; the line's own amount unless another is named."""
    line = bill.lines.select_related("charge").order_by("pk")[place]
    return ReturnInput(line.charge.charge_no, Decimal(quantity), amount_fen or line.amount_fen)


def ask_back(
    bill: Invoice,
    *parts: ReturnInput,
    refund_no: str = "F1",
    input_hash: str = "h",
    operator: Actor = ASKER,
    approver: Actor | None = APPROVER,
) -> InvoiceReturn:
    """Ask for a return of these parts, or of all that is left; nothing is sent yet."""
    return return_request(
        client=bill.client,
        invoice_no=bill.invoice_no,
        refund_no=refund_no,
        lines=list(parts) or None,
        reason="drug returned",
        operator=operator,
        approver=approver,
        input_hash=input_hash,
    )


def reissued(*, transaction_id: int, by: Actor) -> PaymentTransaction:
    """A second number for a refund that the channel says is lost."""
    refund_lost_confirm(transaction_id=transaction_id)
    return refund_reissue(transaction_id=transaction_id, by=by)


def declined(bill: Invoice) -> PaymentTransaction:
    """The refund of a whole return, refused by the channel for good."""
    ask_back(bill)
    scripted.script(Operation.REFUND, LOST)
    row = refunds_of(bill)[-1]
    transaction_resume(transaction_id=row.pk)
    row.refresh_from_db()
    assert row.status == "CLOSED"
    return row
