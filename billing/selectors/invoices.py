"""A bill as the HIS reads it, in a constant number of statements."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from billing.ledger.bills import bill_books
from billing.models import (
    Invoice,
    InvoiceStatus,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from billing.reasons import reason_of
from billing.selectors.insured import claim_body
from billing.selectors.pay_links import action_shown
from billing.selectors.payments import due_shown_of
from core import clock
from core.errors import NotFound
from patients.models import HisClient


def invoice_find(*, client: HisClient, invoice_no: str) -> Invoice | None:
    return Invoice.objects.filter(client=client, invoice_no=invoice_no).first()


def invoice_get(*, client: HisClient, invoice_no: str) -> Invoice:
    """The bill with its visit, or NotFound."""
    rows = Invoice.objects.filter(client=client, invoice_no=invoice_no)
    found = rows.select_related("encounter").first()
    if found is None:
        raise NotFound("unknown_invoice", _("There is no such bill."), "invoice_no")
    return found


def invoice_body(invoice: Invoice) -> dict[str, Any]:
    """The answer to `GET invoices/{no}`; two statements besides the bill itself."""
    books = bill_books(invoice.pk)
    captures = list(_captures(invoice))
    unpaid = invoice.status == InvoiceStatus.ISSUED
    unsettled = invoice.status in Invoice.OPEN or invoice.status == InvoiceStatus.REVIEW
    return {
        "invoice_no": invoice.invoice_no,
        "encounter_no": invoice.encounter.encounter_no,
        "status": invoice.status,
        "amount_fen": invoice.amount_fen,
        "due_fen": due_shown_of(invoice, books.receivable_fen) if unsettled else 0,
        "paid_fen": books.paid_fen,
        "refunded_fen": sum(row.returned_fen or 0 for row in captures),
        "split": _split(invoice),
        "payments": [_payment(row) for row in captures],
        "claim": claim_body(invoice),
        "action": action_shown(invoice, invoice.action),
        "reason": reason_of(invoice.decline_code) if unpaid else None,
        "ledger": {
            "receivable_fen": books.receivable_fen,
            "refund_payable_fen": books.refund_payable_fen,
        },
    }


def _captures(invoice: Invoice) -> QuerySet[PaymentTransaction, Any]:
    """Tenders with what went back of them: all of it, and the part that answers a return."""
    done = Q(refunds__status=TransactionStatus.SUCCEEDED)
    returned = done & Q(refunds__invoice_return__isnull=False)
    return (
        PaymentTransaction.objects.filter(payment__invoice=invoice, kind=TransactionKind.CAPTURE)
        .select_related("payment")
        .annotate(
            back_fen=Sum("refunds__amount_fen", filter=done),
            returned_fen=Sum("refunds__amount_fen", filter=returned),
        )
        .order_by("pk")
    )


def _payment(row: Any) -> dict[str, Any]:
    return {
        "payment_no": row.payment.payment_no,
        "channel": row.payment.channel,
        "status": row.status,
        "amount_fen": row.amount_fen,
        "refunded_fen": row.back_fen or 0,
        "occurred_at": row.occurred_at and row.occurred_at.astimezone(clock.ZONE).isoformat(),
    }


def _split(invoice: Invoice) -> dict[str, int | None] | None:
    """The five parts; null until the bill is priced with a coverage."""
    if invoice.fund_fen is None:
        return None
    return {
        "fund_fen": invoice.fund_fen,
        "own_account_fen": invoice.own_account_fen,
        "mutual_aid_fen": invoice.mutual_aid_fen,
        "hospital_part_fen": invoice.hospital_part_fen,
        "cash_fen": invoice.cash_fen,
    }
