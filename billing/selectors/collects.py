"""What a collect came to, as the caller reads it."""

from __future__ import annotations

from typing import Any

from billing.models import (
    CollectMethod,
    CollectRequest,
    CollectStatus,
    Invoice,
    PaymentTransaction,
    TransactionKind,
    TransactionStatus,
)
from billing.reasons import Reason, reason_of
from billing.selectors.pay_links import action_shown
from patients.models import HisClient


def collect_by_number(client: HisClient, request_no: str) -> CollectRequest | None:
    """The collect that bears a caller's number, with the one it joined."""
    rows = CollectRequest.objects.select_related("joined")
    return rows.filter(client=client, request_no=request_no).first()


def collect_took(collect: CollectRequest) -> bool:
    """Whether a tender of this collect took money."""
    rows = PaymentTransaction.objects.filter(payment__collect=collect, kind=TransactionKind.CAPTURE)
    return rows.filter(status=TransactionStatus.SUCCEEDED).exists()


def collect_is_running(collect_id: int) -> bool:
    return CollectRequest.objects.filter(pk=collect_id, status=CollectStatus.RUNNING).exists()


def collect_answer(collect: CollectRequest) -> dict[str, Any]:
    """`result` and, where there is one, `action` or `reason`, by the bill's present state.

    A bill paid since by the patient's own phone answers paid, also to a repeated request; but not
    to one for cash, whose caller would keep the notes: that is paid only where cash paid it.
    """
    invoice = collect.invoice
    if invoice.status in Invoice.PAID_ONCE:
        of_cash = collect.method == CollectMethod.CASH and collect.status != CollectStatus.PAID
        if of_cash and not collect_took(collect):
            return {"result": "declined", "reason": Reason.PAID_OTHERWISE}
        return {"result": "paid"}
    if collect.status == CollectStatus.RUNNING or invoice.status in Invoice.DRIVEN:
        return {"result": "processing"}
    answer: dict[str, Any] = {
        "result": collect.status.lower(),
        "reason": reason_of(collect.decline_code),
    }
    if collect.status == CollectStatus.ACTION_REQUIRED and invoice.action is not None:
        answer["action"] = action_shown(invoice, invoice.action)
    return answer
