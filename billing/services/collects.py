"""Start collecting a bill for the HIS or the window; the drive does the rest."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from billing.channels.base import Mode
from billing.locks import collect_lock, invoice_lock
from billing.models import (
    CollectMethod,
    CollectRequest,
    CollectStatus,
    Invoice,
    InvoiceStatus,
    PaymentTransaction,
)
from billing.selectors.payments import open_capture
from billing.services.tenders import OFFERED, auth_code_channel
from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound, NotOffered
from core.failpoints import failpoint
from core.idempotency import NumberReused
from core.states import transition
from patients.models import HisClient

OFFER_MODES = (Mode.NATIVE, Mode.H5)


def collect_start(
    *,
    client: HisClient,
    invoice_no: str,
    request_no: str,
    method: str,
    auth_code: str,
    operator: Actor,
    input_hash: str,
) -> CollectRequest:
    """Begin to collect, or find the collect that already answers this number.

    The same number and input returns the first request; a call while another runs returns that
    one. Raises NumberReused, NotFound, BadInput (no payment code), NotOffered, Conflict (cancelled
    or under review). Nothing is called outside here.
    """
    known = CollectRequest.objects.filter(client=client, request_no=request_no).first()
    if known is not None:
        return _same_input(known, input_hash)
    _refuse_method(method, auth_code)
    invoice_id = _invoice_id(client, invoice_no)
    try:
        with transaction.atomic():
            collect = _begin(
                invoice_lock(invoice_id), client, request_no, method, auth_code, operator,
                input_hash,
            )  # fmt: skip
            failpoint("collect.written")
    except IntegrityError:
        # Another process used this number in this moment, for this or another invoice.
        return _same_input(
            CollectRequest.objects.get(client=client, request_no=request_no), input_hash
        )
    failpoint("collect.committed")
    return collect


def _begin(
    invoice: Invoice,
    client: HisClient,
    request_no: str,
    method: str,
    auth_code: str,
    operator: Actor,
    input_hash: str,
) -> CollectRequest:
    running = collect_lock(invoice)
    if running is not None:
        return running
    settled = invoice.status in Invoice.SETTLED
    if not settled and invoice.status not in Invoice.OPEN:
        raise Conflict("invoice_not_open", _("This bill is cancelled or under review."))
    collect = CollectRequest.objects.create(
        client=client,
        request_no=request_no,
        input_hash=input_hash,
        invoice=invoice,
        method=method,
        auth_code="" if settled else auth_code,
        status=CollectStatus.PAID if settled else CollectStatus.RUNNING,
        operator_code=operator.code,
        operator_name=operator.name,
        created_at=clock.now(),
    )
    if settled:
        return collect
    if invoice.status == InvoiceStatus.ISSUED:
        transition(
            invoice, InvoiceStatus.COLLECTING, by=operator, reason=request_no,
            due_at=clock.now(), action=None,
        )  # fmt: skip
    elif invoice.status in (InvoiceStatus.COLLECTING, InvoiceStatus.PROCESSING):
        _withdraw_offer(invoice)
    return collect


def _withdraw_offer(invoice: Invoice) -> None:
    """A page the patient left open must not block the window: its order is closed at the channel
    and the chain goes on once that is confirmed."""
    offered = open_capture(invoice)
    if offered is not None and offered.payment.mode in OFFER_MODES:
        PaymentTransaction.objects.filter(pk=offered.pk).update(closing=True, due_at=clock.now())


def _refuse_method(method: str, auth_code: str) -> None:
    if method not in OFFERED:
        raise NotOffered("not_offered", _("This way to pay is not offered here."), "method")
    if method == CollectMethod.SCAN and not auth_code:
        raise BadInput("auth_code_missing", _("Scan the payer's code."), "auth_code")
    if auth_code and not auth_code_channel(auth_code):
        raise BadInput(
            "no_payment_code",
            _("This is no payment code. Ask the payer to open the payment code and scan again."),
            "auth_code",
        )


def _same_input(known: CollectRequest, input_hash: str) -> CollectRequest:
    if known.input_hash != input_hash:
        raise NumberReused(
            "number_reused", _("This number was used with other content."), "request_no"
        )
    return known


def _invoice_id(client: HisClient, invoice_no: str) -> int:
    invoice_id = (
        Invoice.objects.filter(client=client, invoice_no=invoice_no)
        .values_list("pk", flat=True)
        .first()
    )
    if invoice_id is None:
        raise NotFound("invoice_unknown", _("There is no such bill."), "invoice_no")
    return invoice_id
