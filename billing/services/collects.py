"""Start collecting a bill for the HIS or the window; the drive does the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from billing.channels.base import Mode
from billing.channels.registry import channel_codes
from billing.locks import collects_lock, invoice_lock_by_number
from billing.models import (
    CollectMethod,
    CollectRequest,
    CollectStatus,
    Invoice,
    InvoiceStatus,
    PaymentTransaction,
)
from billing.policy import policy
from billing.selectors.payments import open_capture
from billing.services.tenders import OFFERED, auth_code_channel
from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict, NotOffered
from core.failpoints import failpoint
from core.idempotency import NumberReused
from core.integrity import constraint_name
from core.prepared import row_insert
from core.states import transition
from patients.models import HisClient

OFFER_MODES = (Mode.NATIVE, Mode.H5)


@dataclass(frozen=True, slots=True)
class Asked:
    """A caller's request, before it is a row."""

    client: HisClient
    request_no: str
    input_hash: str
    method: str
    auth_code: str
    operator: Actor


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
    _refuse_method(method, auth_code)
    asked = Asked(client, request_no, input_hash, method, auth_code, operator)
    try:
        with transaction.atomic():
            collect = _begin(invoice_lock_by_number(client, invoice_no), asked)
            failpoint("collect.written")
    except IntegrityError as error:
        if constraint_name(error) != "collect_unique":
            raise
        # Another process used this number in this moment, for another invoice.
        return _same_input(
            CollectRequest.objects.get(client=client, request_no=request_no), input_hash
        )
    failpoint("collect.committed")
    return collect


def _begin(invoice: Invoice, asked: Asked) -> CollectRequest:
    """Under the invoice's lock: replay, join the running collect, or begin this one."""
    known = collects_lock(invoice, asked.client, asked.request_no)
    same = next((row for row in known if row.request_no == asked.request_no), None)
    if same is not None:
        same = _same_input(same, asked.input_hash if same.invoice_id == invoice.pk else "")
        return same.joined or same
    if known:
        row_insert(_row(asked, invoice, CollectStatus.JOINED, joined=known[0]))
        return known[0]
    settled = invoice.status in Invoice.SETTLED
    if not settled and invoice.status not in Invoice.OPEN:
        raise Conflict("invoice_not_open", _("This bill is cancelled or under review."))
    collect = _row(asked, invoice, CollectStatus.PAID if settled else CollectStatus.RUNNING)
    row_insert(collect)
    if invoice.status == InvoiceStatus.ISSUED:
        # The caller drives it at once; a sweeper does if that is lost.
        due_at = clock.now() + timedelta(seconds=policy().drive_lost_after_s)
        transition(
            invoice,
            InvoiceStatus.COLLECTING,
            by=asked.operator,
            reason=asked.request_no,
            due_at=due_at,
            action=None,
        )
    elif not settled:
        _withdraw_offer(invoice)
    return collect


def _row(
    asked: Asked, invoice: Invoice, status: CollectStatus, joined: CollectRequest | None = None
) -> CollectRequest:
    """The caller's number as a row, so that a repeat finds its answer; a code is kept only by the
    one that runs."""
    return CollectRequest(
        client=asked.client,
        request_no=asked.request_no,
        input_hash=asked.input_hash,
        invoice=invoice,
        joined=joined,
        method=asked.method,
        auth_code=asked.auth_code if status == CollectStatus.RUNNING else "",
        status=status,
        operator_kind=asked.operator.kind,
        operator_code=asked.operator.code,
        operator_name=asked.operator.name,
        created_at=clock.now(),
    )


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
    channel = auth_code_channel(auth_code)
    if channel and channel not in channel_codes():
        raise NotOffered("not_offered", _("Codes of this kind are not taken here."), "auth_code")
    if auth_code and not channel:
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
