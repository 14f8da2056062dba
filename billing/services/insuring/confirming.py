"""A bill of which insurance pays everything, settled by one press: no wallet, no tender of 0."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.locks import collect_lock, invoice_lock
from billing.models import Invoice, InvoiceStatus
from billing.selectors.payments import cash_due_fen, open_capture
from core import clock
from core.actors import Actor
from core.errors import Conflict
from core.failpoints import failpoint
from core.states import transition


def covered_confirm(*, invoice: Invoice, by: Actor) -> None:
    """Let a priced bill with nothing to pay be settled; the caller drives it. Pressed twice it is
    settled once. Conflict where something is to pay, or something else is under way."""
    with transaction.atomic():
        locked = invoice_lock(invoice.pk)
        free = locked.status == InvoiceStatus.ISSUED and not collect_lock(locked)
        priced = locked.claim_id is not None and not locked.unpriced
        if not free or not priced or open_capture(locked) or cash_due_fen(locked) > 0:
            raise Conflict("not_payable", _("This bill is not to be paid now."))
        transition(
            locked,
            InvoiceStatus.COLLECTING,
            by=by,
            reason="nothing to pay, confirmed",
            due_at=clock.now(),
            action=None,
        )
    failpoint("covered.confirmed")
