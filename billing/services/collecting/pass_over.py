"""Go on at the window although a tender is not confirmed: a cashier's right and responsibility.

The tender stays in flight and is looked at until it ends. If it succeeds after another one has paid
the bill, it is unexpected money and goes back by itself; if nothing else has paid, it pays.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.channels.base import Mode
from billing.locks import captures_flying_lock, collect_lock, invoice_lock
from billing.models import (
    CollectStatus,
    EventType,
    Invoice,
    InvoiceStatus,
    PaymentTransaction,
)
from billing.reasons import Reason
from billing.services.handing_back import bill_free, collect_end, his_told
from core import audit, clock
from core.actors import Actor
from core.errors import Conflict


def tender_pass_over(*, invoice_id: int, by: Actor) -> Invoice:
    """Free a bill for another way to pay. Raises Conflict when no tender stands in its way."""
    with transaction.atomic():
        invoice = invoice_lock(invoice_id)
        flying = _in_the_way(invoice)
        PaymentTransaction.objects.filter(pk__in=[row.pk for row in flying]).update(
            passed_over_at=clock.now()
        )
        collect = collect_lock(invoice)
        if collect is not None:
            collect_end(collect, CollectStatus.DECLINED, Reason.PASSED_OVER, by=by)
        bill_free(invoice, Reason.PASSED_OVER, action=None, by=by)
        his_told(invoice, EventType.DECLINED, {"reason": Reason.PASSED_OVER})
        audit.record(
            by=by,
            action="tender_passed_over",
            subject="invoice",
            subject_id=invoice.pk,
            detail={"numbers": [row.number for row in flying]},
        )
    return invoice


def _in_the_way(invoice: Invoice) -> list[PaymentTransaction]:
    """The tenders of a locked bill that are waited for. Cash is not: whose number is written holds
    the notes, and the next look books them."""
    flying = captures_flying_lock(invoice)
    if any(row.payment.mode == Mode.CASH for row in flying):
        raise Conflict("cash_is_booked", _("The cash is being booked. Look again in a moment."))
    if not flying or invoice.status not in (InvoiceStatus.COLLECTING, InvoiceStatus.PROCESSING):
        raise Conflict("nothing_in_flight", _("No payment of this bill is unconfirmed."))
    return flying
