"""Sweepers: find what is due and was left behind. Each is bounded and safe to run twice at once.

`due_at` on the row is the queue; a claimed row is leased for some seconds, so a second sweeper
passes it by and a killed worker only delays it.
"""

from __future__ import annotations

from django.db.models import Q

from billing.channels.base import Source
from billing.locks.leases import refunds_lease, transactions_lease
from billing.models import PaymentTransaction, TransactionKind, TransactionStatus
from billing.policy import policy
from billing.services.apply import transaction_apply
from billing.services.collecting.captures import capture_look
from billing.services.failures import invoice_kept
from billing.services.invoice_drive import invoice_drive
from billing.services.refunding.refund_steps import refund_step

# Ended here and looked at again all the same (`apply._turned_up`, `apply._ask_first`).
GIVEN_UP = Q(status__in=PaymentTransaction.LOST, due_at__isnull=False)


def transactions_due(*, limit: int) -> list[int]:
    """Open transactions whose time to look has come, leased to the caller."""
    return transactions_lease(limit=limit, lease_s=policy().lease_s)


def refunds_due(*, limit: int) -> list[int]:
    """Refunds written and not sent yet, leased to the caller."""
    return refunds_lease(limit=limit, lease_s=policy().lease_s)


def transaction_resume(*, transaction_id: int) -> None:
    """Send a refund that was not sent yet, else look what became of the transaction; apply what is
    learnt, and let its bill go on."""
    row = (
        PaymentTransaction.objects.select_related(
            "payment__merchant", "payment__agreement", "payment__shift", "original__payment"
        )
        .filter(Q(status__in=PaymentTransaction.IN_FLIGHT) | GIVEN_UP, pk=transaction_id)
        .first()
    )
    if row is None:
        return
    if row.kind == TransactionKind.REFUND:
        refund_step(row=row)
        return
    # An order that turned up after it was given up is wanted no more.
    answer = capture_look(row=row, end=row.status == TransactionStatus.CLOSED)
    after = transaction_apply(
        transaction_id=row.pk, answer=answer, source=Source.QUERY, asked_of=row
    )
    if after.payment.invoice_id is not None and after.status not in after.IN_FLIGHT:
        with invoice_kept(invoice_id=after.payment.invoice_id):
            invoice_drive(invoice_id=after.payment.invoice_id)
