"""A filing began or ceased to stand while a bill of the patient was priced: the price has run out.

Whoever then begins to pay is asked the new own part first (`running.price_refresh`), and a collect
prices the bill anew. Money that is on its way already is left alone: the settlement gives back what
was too much, or asks again.
"""

from __future__ import annotations

from django.db import transaction

from billing.locks import invoice_lock
from billing.models import CourseStep, Invoice, InvoiceStatus
from billing.selectors.payments import open_capture
from billing.services.insuring.opening import course_of
from core import clock
from core.failpoints import failpoint
from insurance.services.filings.following import claim_price_over

UNPAID = (InvoiceStatus.ISSUED, InvoiceStatus.PRICING, InvoiceStatus.COLLECTING)
BEFORE = (CourseStep.PRICE, CourseStep.OFFER)


def prices_run_out(*, patient_id: int) -> list[int]:
    """End the price of every open bill of the patient; stands in `settings.FILING_FOLLOWERS`. Not
    inside a transaction; safe to repeat."""
    rows = Invoice.objects.filter(
        patient=patient_id, claim__isnull=False, settled_at=None, status__in=UNPAID
    )
    found = list(rows.order_by("pk").values_list("pk", flat=True))
    return [invoice_id for invoice_id in found if _run_out(invoice_id)]


def _run_out(invoice_id: int) -> bool:
    """Under the bill's lock; False where it is paid meanwhile, or money is on its way."""
    with transaction.atomic():
        invoice = invoice_lock(invoice_id)
        if invoice.status not in UNPAID or invoice.claim_id is None or open_capture(invoice):
            return False
        if invoice.settled_at is not None or course_of(invoice).step not in BEFORE:
            return False
        claim_price_over(claim_id=invoice.claim_id)
        if invoice.valid_until is not None:
            Invoice.objects.filter(pk=invoice.pk).update(valid_until=clock.now())
        failpoint("refiled.written")
    return True
