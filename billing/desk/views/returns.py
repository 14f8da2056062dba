"""Asking for a return: quantities, then amounts and ways to confirm, then the queue."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing.desk.bills import bill_get
from billing.desk.doors import (
    RETURN_INVOICE,
    actor_of,
    looked_up,
    rights_of,
    shown,
    staff_of,
    staff_page,
)
from billing.desk.faces import face_of
from billing.desk.returns import ReturnForm, return_form, return_form_read, return_routes
from billing.desk.tokens import token_make, token_read
from billing.models import Invoice
from billing.services.refunding.return_lines import ReturnInput
from billing.services.refunding.returns import RETURNABLE, return_request
from billing.tasks import go_on
from core.errors import Conflict
from core.idempotency import input_hash
from core.ids import business_number


@require_http_methods(["GET", "POST"])
@staff_page(RETURN_INVOICE)
def return_ask(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """What comes back and why; a POST shows what it is worth before anything is written."""
    invoice = bill_get(invoice_id)
    form = return_form(invoice)
    if invoice.status not in RETURNABLE or not form.choices:
        raise Conflict("nothing_left", _("Nothing of this bill can be returned now."))
    looked_up(request, invoice.patient_id, page="return", by="link")
    if request.method == "GET":
        return _show(request, invoice, form)
    return_form_read(form, request.POST)
    if form.faults:
        return _show(request, invoice, form, status=400)
    context = {
        "title": _("Ask for a return"),
        "search_first": False,
        "invoice": invoice,
        "face": face_of(invoice.patient, full_name=rights_of(request).reveal),
        "form": form,
        # What an insurer has still to settle anew cannot be promised yet.
        "routes": () if invoice.settled_at else return_routes(invoice, form.amount_fen),
        "token": _token(request, invoice, form),
    }
    return shown(request, "billing/desk/return_confirm.html", context)


@require_POST
@staff_page(RETURN_INVOICE)
def return_send(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """Send what was shown to the queue; somebody else lets it go."""
    invoice = bill_get(invoice_id)
    token = request.POST.get("token", "")
    asked = token_read("return", token, invoice=invoice.pk, user=staff_of(request).pk)
    return_request(
        client=invoice.client,
        invoice_no=invoice.invoice_no,
        refund_no=asked["number"],
        lines=[ReturnInput(no, Decimal(text), fen) for no, text, fen in asked["lines"]],
        reason=asked["reason"],
        operator=actor_of(request),
        approver=None,
        input_hash=input_hash({"lines": asked["lines"], "reason": asked["reason"]}),
    )
    go_on(invoice.pk)
    messages.success(request, _("Sent for review. A second person has to approve it; you cannot."))
    return HttpResponseRedirect(reverse("desk_bill", args=[invoice.pk]))


def _show(
    request: HttpRequest, invoice: Invoice, form: ReturnForm, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "title": _("Ask for a return"),
        "search_first": False,
        "invoice": invoice,
        "face": face_of(invoice.patient, full_name=rights_of(request).reveal),
        "form": form,
    }
    return shown(request, "billing/desk/return_ask.html", context, status=status)


def _token(request: HttpRequest, invoice: Invoice, form: ReturnForm) -> str:
    return token_make(
        "return",
        invoice=invoice.pk,
        user=staff_of(request).pk,
        number=business_number("RT"),
        reason=form.reason,
        lines=[
            [choice.line.charge.charge_no, str(choice.quantity), choice.amount_fen]
            for choice in form.chosen
        ],
    )
