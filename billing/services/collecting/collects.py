"""Start collecting a bill for the HIS or the window; the drive does the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.channels.base import OFFERED_MODES
from billing.channels.registry import auth_code_channel
from billing.locks import collect_lock, invoice_lock_by_number
from billing.models import (
    CODE_METHODS,
    CollectMethod,
    CollectRequest,
    CollectStatus,
    Invoice,
    InvoiceStatus,
    PaymentTransaction,
)
from billing.policy import policy
from billing.selectors.collects import collect_by_number
from billing.selectors.payments import due_shown_fen, open_capture
from billing.services.collecting.tenders import OFFERED
from billing.services.insuring.opening import insurance_refuse
from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict, NotOffered
from core.failpoints import failpoint
from core.idempotency import NumberReused
from core.prepared import row_insert_new
from core.states import Step, transition_if_new
from patients.models import HisClient


@dataclass(frozen=True, slots=True)
class CollectAsked:
    """A caller's request, before it is a row."""

    client: HisClient
    request_no: str
    input_hash: str
    method: str
    auth_code: str
    operator: Actor
    shown_fen: int | None


def collect_start(
    *,
    client: HisClient,
    invoice_no: str,
    request_no: str,
    method: str,
    auth_code: str,
    operator: Actor,
    input_hash: str,
    shown_fen: int | None = None,
) -> CollectRequest:
    """Begin to collect, or find the collect that already answers this number.

    The same number and input returns the first request; the same wish under another number while
    one runs returns that one. `shown_fen` is what a form showed to be due: another sum by now is
    refused before anybody takes money by it. Raises NumberReused, NotFound, BadInput (no payment
    code), NotOffered, Conflict (cancelled, under review, another sum, cash for a paid bill, or
    collected in another way just now). Nothing is called outside here.
    """
    _refuse_method(method, auth_code)
    asked = CollectAsked(client, request_no, input_hash, method, auth_code, operator, shown_fen)
    with transaction.atomic():
        collect = _begin(invoice_lock_by_number(client, invoice_no), asked)
        failpoint("collect.written")
    failpoint("collect.committed")
    return collect


def _begin(invoice: Invoice, asked: CollectAsked) -> CollectRequest:
    """Under the invoice's lock: begin this collect, else replay or join the one in its way.

    The unique numbers decide (a number once, one running collect a bill), so that the first call
    is not preceded by a question and no other process can come between.
    """
    if asked.shown_fen is not None:
        known = _known(invoice, asked)
        if known is not None:
            return known
        _refuse_other_sum(invoice, asked.shown_fen)
    settled = invoice.status in Invoice.PAID_ONCE
    collect = _row(asked, invoice, CollectStatus.PAID if settled else CollectStatus.RUNNING)
    if not settled and invoice.status not in Invoice.OPEN:
        return _known(invoice, asked) or _refuse_not_open()
    if settled and asked.method == CollectMethod.CASH:
        return _known(invoice, asked) or _refuse_paid()
    if asked.method in CODE_METHODS and invoice.claim_id is None and not settled:
        insurance_refuse(invoice.encounter)
    is_first = invoice.status == InvoiceStatus.ISSUED
    if is_first:
        is_new = transition_if_new(collect, _collects(invoice, asked), by=asked.operator)
    else:
        is_new = row_insert_new(collect)
    if not is_new:
        return _known(invoice, asked) or _join(invoice, asked)
    if not (is_first or settled):
        _withdraw_offer(invoice)
    return collect


def _collects(invoice: Invoice, asked: CollectAsked) -> Step:
    """The caller drives it at once; a sweeper does if that is lost."""
    due_at = clock.now() + timedelta(seconds=policy().drive_lost_after_s)
    fields = {"due_at": due_at, "action": None}
    return Step([invoice], InvoiceStatus.COLLECTING, fields, asked.request_no)


def _known(invoice: Invoice, asked: CollectAsked) -> CollectRequest | None:
    """The request that already answers this number; the same input only."""
    same = collect_by_number(asked.client, asked.request_no)
    if same is None:
        return None
    if same.invoice_id != invoice.pk or same.input_hash != asked.input_hash:
        raise NumberReused(
            "number_reused", _("This number was used with other content."), "request_no"
        )
    return same.joined or same


def _join(invoice: Invoice, asked: CollectAsked) -> CollectRequest:
    """A collect runs on this bill: it answers for this number too, if it is the same wish.

    Another way, or another code, is not what is under way: joined, its caller would take the end of
    the one for the end of the other. Cash under another number is cash in another hand. It is
    refused, and its number stays free for when this ended.
    """
    running = collect_lock(invoice)
    assert running is not None, "only a number or a running collect stands in the way"
    for field in ("method", "auth_code"):
        differs = getattr(running, field) != getattr(asked, field)
        if differs or asked.method == CollectMethod.CASH:
            raise Conflict(
                "collect_running",
                _("Another collect of this bill runs (%(method)s); wait until it has ended.")
                % {"method": running.get_method_display()},
                field,
            )
    if not row_insert_new(_row(asked, invoice, CollectStatus.JOINED, joined=running)):
        # In this moment the number was used for another bill.
        return _known(invoice, asked) or running
    return running


def _refuse_other_sum(invoice: Invoice, shown_fen: int) -> None:
    if due_shown_fen(invoice) != shown_fen:
        raise Conflict(
            "amount_changed", _("The amount has changed. Look again before you take it.")
        )


def _refuse_not_open() -> NoReturn:
    raise Conflict("invoice_not_open", _("This bill is cancelled or under review."))


def _refuse_paid() -> NoReturn:
    """Who asks for cash holds notes: told "paid", they would keep them for a bill long paid."""
    raise Conflict("invoice_paid", _("This bill is paid already. Take no cash for it."))


def _row(
    asked: CollectAsked,
    invoice: Invoice,
    status: CollectStatus,
    joined: CollectRequest | None = None,
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
    if offered is not None and offered.payment.mode in OFFERED_MODES:
        PaymentTransaction.objects.filter(pk=offered.pk).update(closing=True, due_at=clock.now())


def _refuse_method(method: str, auth_code: str) -> None:
    if method not in OFFERED:
        raise NotOffered("not_offered", _("This way to pay is not offered here."), "method")
    if method in (CollectMethod.SCAN, *CODE_METHODS) and not auth_code:
        raise BadInput("auth_code_missing", _("Scan the payer's code."), "auth_code")
    if auth_code and method not in CODE_METHODS and not auth_code_channel(auth_code):
        raise BadInput(
            "no_payment_code",
            _("This is no payment code. Ask the payer to open the payment code and scan again."),
            "auth_code",
        )
