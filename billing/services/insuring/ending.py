"""An insured bill is paid: its receivable is zero and its claim settled."""

from __future__ import annotations

from billing.models import (
    CollectRequest,
    CourseStep,
    InsuredCourse,
    Invoice,
    InvoiceStatus,
    PaymentTransaction,
    TransactionStatus,
    Why,
)
from billing.services.paying import bill_paid
from core import clock
from core.actors import SYSTEM, Actor
from core.crypto import mask_name
from core.states import transition
from patients.services.notifications import OwnMessage, notifications_queue

# The kind of the message where no tender tells, and the beginning of its key.
COVERED = "covered"


def bill_settled(invoice: Invoice, collect: CollectRequest | None) -> None:
    """PAID, with the tender that took the cash part, or none where there was nothing to take: then
    the patient hears that the insurance paid it whole."""
    tender = _last_tender(invoice)
    if tender is None:
        _covered_tell(invoice)
    bill_paid(
        invoice=invoice,
        collect=collect,
        row=tender,
        amount_fen=invoice.cash_fen,
        occurred_at=clock.now(),
        by=SYSTEM,
        reason="settled",
    )


def _covered_tell(invoice: Invoice) -> None:
    facts = {
        "hospital": invoice.encounter.campus.name,
        "name": mask_name(invoice.patient.name),
        "amount_fen": 0,
        "number": invoice.tail,
    }
    message = OwnMessage(f"{COVERED}/{invoice.pk}", COVERED, facts, on_record=True)
    notifications_queue(messages=[message], patient_id=invoice.patient_id)


def cash_was_last(invoice: Invoice, by: Actor) -> bool:
    """The cash part of an insured bill is there: whether that was the last of it. It was where the
    window took it after the settlement; else the settlement is next."""
    if invoice.settled_at is not None:
        InsuredCourse.objects.filter(invoice=invoice).update(step=CourseStep.DONE, why=Why.NONE)
        return True
    now = clock.now()
    if invoice.status in (InvoiceStatus.ISSUED, InvoiceStatus.PRICING):
        transition(invoice, InvoiceStatus.COLLECTING, by=by, reason="cash part taken", due_at=now)
    else:
        Invoice.objects.filter(pk=invoice.pk).update(due_at=now)
    return False


def _last_tender(invoice: Invoice) -> PaymentTransaction | None:
    return (
        PaymentTransaction.objects.filter(
            payment__invoice=invoice, kind="CAPTURE", status=TransactionStatus.SUCCEEDED
        )
        .select_related("payment")
        .order_by("-pk")
        .first()
    )
