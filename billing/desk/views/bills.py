"""A bill's page, and taking its money at the window by scan or in cash."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from billing.desk.bills import BillPage, bill_get, bill_page
from billing.desk.doors import (
    COLLECT_INVOICE,
    GO_ON_UNCONFIRMED,
    VIEW_INVOICE,
    actor_of,
    looked_up,
    rights_of,
    shown,
    staff_of,
    staff_page,
)
from billing.desk.tokens import token_make, token_read
from billing.desk.views.patients import kind_of, noted
from billing.models import CollectMethod, CollectRequest, CollectStatus, Invoice
from billing.page_values import REFRESH_FIRST_S
from billing.reasons import Reason
from billing.services.collecting.collects import collect_start
from billing.services.collecting.pass_over import tender_pass_over
from billing.services.insuring.running import price_refresh
from billing.tasks import invoice_drive_task, tell
from billing.waiting import wait_for_collect
from core.dispatch import enqueue
from core.errors import BadInput, Conflict, Refusal
from core.idempotency import input_hash
from core.ids import business_number

# Most tenders end within this; the page then shows the result at once instead of "in progress".
WAIT_S = 2.0
WINDOW_METHODS = {"scan": CollectMethod.SCAN, "cash": CollectMethod.CASH}
CODE_LENGTH_MAX = 32


@require_GET
@staff_page(VIEW_INVOICE)
def bill_show(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """Everything about one bill, and the two ways to act on it."""
    invoice = bill_get(invoice_id)
    looked_up(request, invoice.patient_id, page="bill", by=kind_of(request))
    return bill_answer(request, invoice)


def bill_answer(
    request: HttpRequest, invoice: Invoice, refusal: Refusal | None = None
) -> HttpResponse:
    page = page_of(request, invoice)
    context: dict[str, Any] = {
        "title": _("Bill %(number)s") % {"number": invoice.invoice_no},
        "page": page,
        "state": state_of(invoice, running=page.running),
        "refusal": refusal,
        "refresh_s": REFRESH_FIRST_S,
        "token": _token(request, invoice, page.due_fen) if page.payable else "",
        "search_first": not (page.payable and rights_of(request).collect),
        **noted(request),
    }
    status = refusal.status if refusal else 200
    return shown(request, "billing/desk/bill.html", context, status=status)


def page_of(request: HttpRequest, invoice: Invoice) -> BillPage:
    rights = rights_of(request)
    return bill_page(invoice, full_name=rights.reveal, books=rights.books, calls=rights.calls)


@require_GET
@staff_page(VIEW_INVOICE)
def bill_state(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """What the waiting page asks for; nothing of the patient is in it, so nothing is recorded."""
    row = Invoice.objects.filter(pk=invoice_id).first()
    running = CollectRequest.objects.filter(invoice=invoice_id, status=CollectStatus.RUNNING)
    return JsonResponse({"state": state_of(row, running=running.exists()) if row else ""})


def state_of(invoice: Invoice, *, running: bool) -> str:
    """Changes whenever the page would."""
    return f"{invoice.status}-{invoice.event_seq}-{int(running)}"


@require_GET
@staff_page(COLLECT_INVOICE)
def cash_confirm(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """The amount to take, large, before it is written down as taken."""
    invoice = bill_get(invoice_id)
    if invoice.unpriced:
        invoice = _priced_first(invoice)
    page = page_of(request, invoice)
    if not page.payable:
        text = _("Nothing is to be taken on this bill now.")
        if page.busy:
            text = _("A payment of this bill is under way. Wait until it has ended.")
        raise Conflict("not_payable", text)
    looked_up(request, invoice.patient_id, page="cash", by="link")
    context = {
        "title": _("Take cash"),
        "page": page,
        "token": _token(request, invoice, page.due_fen),
        "search_first": False,
        **noted(request),
    }
    return shown(request, "billing/desk/cash.html", context)


def _priced_first(invoice: Invoice) -> Invoice:
    """No cash is counted for a part that nobody knows: the insurer is asked before it is shown."""
    with suppress(Conflict):  # the part is another one now: the page shows it
        price_refresh(invoice=invoice)
    again = bill_get(invoice.pk)
    if again.unpriced:
        text = _("The insurance has not priced this bill. Have the insurance code shown first.")
        raise Conflict("price_over", text)
    return again


@require_POST
@staff_page(COLLECT_INVOICE)
def bill_collect(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """Take the money by scan or in cash. The number was fixed when the form was shown."""
    invoice = bill_get(invoice_id)
    try:
        collect = _collect(request, invoice)
    except Refusal as refusal:
        return bill_answer(request, bill_get(invoice_id), refusal)
    if collect.status == CollectStatus.RUNNING:
        enqueue(invoice_drive_task, invoice.pk)
        wait_for_collect(collect.pk, wait_s=WAIT_S)
        collect.refresh_from_db()
    if collect.status == CollectStatus.PAID:
        messages.success(request, _("Paid."))
    elif collect.decline_code == Reason.PAID_OTHERWISE:
        messages.error(request, _("Paid in another way meanwhile. Give the cash back."))
    return HttpResponseRedirect(reverse("desk_bill", args=[invoice.pk]))


@require_POST
@staff_page(GO_ON_UNCONFIRMED)
def bill_pass_over(request: HttpRequest, invoice_id: int) -> HttpResponse:
    """Stop waiting for an unconfirmed payment; the one who presses answers for it by name."""
    try:
        tender_pass_over(invoice_id=bill_get(invoice_id).pk, by=actor_of(request))
    except Refusal as refusal:
        return bill_answer(request, bill_get(invoice_id), refusal)
    tell()
    text = _(
        "The bill is free again. A late payment pays it if nothing else has, "
        "else it goes back by itself."
    )
    messages.warning(request, text)
    return HttpResponseRedirect(reverse("desk_bill", args=[invoice_id]))


def _collect(request: HttpRequest, invoice: Invoice) -> CollectRequest:
    user_id = staff_of(request).pk
    token = request.POST.get("token", "")
    form = token_read("collect", token, invoice=invoice.pk, user=user_id)
    method = WINDOW_METHODS.get(request.POST.get("method", ""))
    if method is None:
        raise BadInput("method", _("Choose scan or cash."), "method")
    code = "".join(request.POST.get("auth_code", "").split())[:CODE_LENGTH_MAX]
    code = code if method == CollectMethod.SCAN else ""
    return collect_start(
        client=invoice.client,
        invoice_no=invoice.invoice_no,
        request_no=form["number"],
        method=method,
        auth_code=code,
        operator=actor_of(request),
        input_hash=input_hash({"method": method, "auth_code": code, "invoice": invoice.pk}),
        shown_fen=form["due_fen"],
    )


def _token(request: HttpRequest, invoice: Invoice, due: int) -> str:
    return token_make(
        "collect",
        invoice=invoice.pk,
        user=staff_of(request).pk,
        number=business_number("DK"),
        due_fen=due,
    )
