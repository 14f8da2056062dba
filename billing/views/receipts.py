"""The receipt of a paid bill, for who may see the bill."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from billing import pay_right
from billing.page_values import PayState
from billing.pay_right import PayRight
from billing.receipts import receipt_pdf
from core.crypto import mask_name
from core.errors import NotFound


@require_safe
def receipt(request: HttpRequest, right: PayRight) -> HttpResponse:
    """The PDF. A bill that is not settled has no receipt: no page."""
    found = pay_right.opened(right)
    if found.page.state is not PayState.PAID or found.invoice is None or found.access is None:
        raise NotFound("no_receipt", "")
    patient, whole = found.invoice.patient, found.access.sees
    body = receipt_pdf(
        found.page,
        name=patient.name if whole else mask_name(patient.name),
        department=found.invoice.encounter.department_name if whole else "",
    )
    answer = HttpResponse(body, content_type="application/pdf")
    # What insurance paid whole has no payment of ours.
    number = found.page.receipt_no or found.page.invoice_no
    # A file to keep: a viewer inside the page would be foreign script under our policy.
    answer.headers["Content-Disposition"] = f'attachment; filename="{number}.pdf"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
