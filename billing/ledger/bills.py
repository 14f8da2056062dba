"""What the books say of one bill: what is owed on it has its one definition here.

A bill's receivable is what stands on `patient_receivable` under its id: what was issued, less what
was returned, taken or cancelled. Below zero we owe. It is read alone, for many bills at once, as a
column beside a row, or with the other figures of the bill; each shape is one statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Func, Sum

from billing.ledger.chart import PATIENT_RECEIVABLE, REFUND_PAYABLE, Event
from billing.ledger.models import Posting
from billing.ledger.selectors import subject_balance, subject_balance_beside

# What a tender took off the receivable; money nobody waited for counts only once it was applied,
# and what a settlement made too much of it counts no more.
_PAID_BY = frozenset(
    {Event.CAPTURED, Event.CASH_TAKEN, Event.UNEXPECTED_APPLIED, Event.EXCESS_OWED}
)


@dataclass(frozen=True, slots=True)
class BillBooks:
    """The figures of one bill. A debt of ours is shown positive in `refund_payable_fen`."""

    receivable_fen: int
    refund_payable_fen: int
    paid_fen: int

    @property
    def due_fen(self) -> int:
        return max(self.receivable_fen, 0)


def bill_receivable(invoice_id: int) -> int:
    """What is owed on a bill; below zero we owe."""
    return subject_balance(PATIENT_RECEIVABLE, invoice_id)


def bill_receivable_beside(invoice: str) -> Func:
    """`bill_receivable` as a column of a query whose field `invoice` names the bill: read with the
    row that is locked after it, it costs no statement."""
    return subject_balance_beside(PATIENT_RECEIVABLE, invoice)


def bill_due(invoice_id: int) -> int:
    """What is still to be taken of a bill, never below zero."""
    return max(bill_receivable(invoice_id), 0)


def bills_due(invoice_ids: Iterable[int]) -> dict[int, int]:
    """`bill_due` of each of some bills."""
    ids = list(invoice_ids)
    rows = Posting.objects.filter(
        account__code=PATIENT_RECEIVABLE, subject__in=ids, subject__gt=0
    ).values_list("subject")
    found = {pk: int(fen) for pk, fen in rows.annotate(fen=Sum("amount_fen"))}
    return {pk: max(found.get(pk, 0), 0) for pk in ids}


def bill_books(invoice_id: int) -> BillBooks:
    """Every figure of a bill."""
    rows = (
        Posting.objects.filter(
            entry__invoice_id=invoice_id,
            account__code__in=[PATIENT_RECEIVABLE, REFUND_PAYABLE],
        )
        .values_list("account__code", "entry__event")
        .annotate(fen=Sum("amount_fen"))
    )
    receivable = payable = paid = 0
    for code, event, fen in rows:
        if code == REFUND_PAYABLE:
            payable -= int(fen)
            continue
        receivable += int(fen)
        if event in _PAID_BY:
            paid -= int(fen)
    return BillBooks(receivable, payable, paid)


def bill_refunded_twice(invoice_id: int) -> int:
    """What of a bill left more often than it was owed: debts of refunds below nothing."""
    rows = (
        Posting.objects.filter(account__code=REFUND_PAYABLE, entry__invoice_id=invoice_id)
        .values("subject")
        .annotate(fen=Sum("amount_fen"))
        .filter(fen__gt=0)
    )
    return sum(int(row["fen"]) for row in rows)
