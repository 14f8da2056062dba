"""Start a tender: the one step with which money begins to move towards a bill.

Three start one: the drive, for a collect of the HIS or the window; a payer who chose a way on a
page; a signed-in person who picked an agreement. Each has, under the bill's lock, seen that no
other tender is waited for, asked what is owed and chosen a way for it. From here on there is one
direction: the number is written, the bill collects, both are committed, and only then anybody calls
the channel (`captures.capture_send`).
"""

from __future__ import annotations

from dataclasses import dataclass

from billing.models import CollectRequest, Invoice, InvoiceStatus, PaymentTransaction
from billing.services.collecting.captures import capture_begin
from billing.services.collecting.tenders import Tender
from core.actors import Actor
from core.states import transition


@dataclass(frozen=True, slots=True)
class PayersForm:
    """What a payer sent from a page, and who that was; its key finds the payment again."""

    by: Actor
    reason: str
    form_key: str


def tender_start(
    *, invoice: Invoice, tender: Tender, asked: CollectRequest | PayersForm
) -> PaymentTransaction:
    """Write the tender of a locked bill with its number; the caller commits, then sends it."""
    if isinstance(asked, CollectRequest):
        # The bill collects since this was asked.
        return capture_begin(invoice=invoice, tender=tender, collect=asked)
    row = capture_begin(invoice=invoice, tender=tender, form_key=asked.form_key)
    transition(invoice, InvoiceStatus.COLLECTING, by=asked.by, reason=asked.reason, due_at=None)
    return row
