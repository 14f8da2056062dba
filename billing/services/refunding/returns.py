"""Goods and services given back, by line and quantity.

A return reserves its lines when it is asked for, so that two can never give the same line back.
Above a limit, or asked for without an approver (the window), it waits for a second person. What is
owed (refund_payable) and by which route it leaves are two ledger entries; refunds go to the newest
tender first, each up to what it holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from billing import postings
from billing.locks import invoice_lock, return_inserted, return_lock
from billing.models import (
    EventType,
    Invoice,
    InvoiceLine,
    InvoiceReturn,
    InvoiceStatus,
    ReturnLine,
    ReturnStatus,
    ReviewReason,
)
from billing.policy import policy
from billing.services.events.outbox import return_event_add
from billing.services.insuring.lost import loss_refuse
from billing.services.insuring.returning import return_resettle
from billing.services.refunding.giving_back import refunds_cut
from billing.services.refunding.return_lines import Part, ReturnInput, parts_checked
from billing.services.refunding.return_refusals import return_refuse
from billing.services.reviews import review_open
from core import clock
from core.actors import Actor
from core.errors import Conflict, NotFound
from core.failpoints import failpoint
from core.idempotency import NumberReused
from core.integrity import constraint_name
from core.review import refuse_same_person
from core.states import transition
from patients.models import HisClient

RETURNABLE = frozenset({InvoiceStatus.PAID, InvoiceStatus.PARTLY_REFUNDED})


@dataclass(frozen=True, slots=True)
class ReturnAsked:
    """A caller's return, before it is a row."""

    client: HisClient
    refund_no: str
    input_hash: str
    reason: str
    operator: Actor
    approver: Actor | None


def return_request(
    *,
    client: HisClient,
    invoice_no: str,
    refund_no: str,
    lines: Sequence[ReturnInput] | None,
    reason: str,
    operator: Actor,
    approver: Actor | None,
    input_hash: str,
) -> InvoiceReturn:
    """Accept a return (None = all that is left), or find the one that has this number.

    Without an approver it always waits for one.
    Raises NumberReused, NotFound, BadInput naming the line, Forbidden when maker and approver are
    one, Conflict when the bill is not paid, nothing is left or the fund's loss of it stands.
    """
    if approver is not None:
        refuse_same_person(approver.code, operator.code, field="approved_by")
    invoice_id = _invoice_id(client, invoice_no)
    try:
        with transaction.atomic():
            invoice = invoice_lock(invoice_id)
            # Looked for under the lock: a twin that came in the same moment has waited for it.
            known = InvoiceReturn.objects.filter(client=client, refund_no=refund_no).first()
            if known is not None:
                return _same_input(known, input_hash)
            if invoice.status == InvoiceStatus.RESETTLING:
                raise _running()
            if invoice.status not in RETURNABLE:
                raise Conflict("invoice_not_paid", _("Only a paid bill can be returned."))
            loss_refuse(invoice)
            parts = parts_checked(invoice, lines)
            asked = ReturnAsked(client, refund_no, input_hash, reason, operator, approver)
            returned = _write(invoice, asked, parts)
            failpoint("return.written")
    except IntegrityError as error:
        if constraint_name(error) != "return_unique":
            raise
        return _same_input(
            InvoiceReturn.objects.get(client=client, refund_no=refund_no), input_hash
        )
    failpoint("return.committed")
    return returned


def return_approve(*, return_id: int, by: Actor) -> InvoiceReturn:
    """Let a reviewed return go; the reviewer is neither its maker nor its first approver."""
    with transaction.atomic():
        returned, invoice = return_lock(return_id)
        refuse_same_person(by.code, returned.operator_code, returned.approver_code)
        loss_refuse(invoice)
        code, name = returned.approver_code or by.code, returned.approver_name or by.name
        transition(returned, ReturnStatus.ACCEPTED, by=by, approver_code=code, approver_name=name)
        _owe(invoice, returned)
    return returned


def return_reject(*, return_id: int, by: Actor, comment: str) -> InvoiceReturn:
    """Refuse a reviewed return and free its lines; nothing was posted and nothing is."""
    with transaction.atomic():
        returned, invoice = return_lock(return_id)
        refuse_same_person(by.code, returned.operator_code, returned.approver_code)
        return_refuse(returned=returned, invoice=invoice, by=by, reason=comment)
    return returned


def _write(invoice: Invoice, asked: ReturnAsked, parts: list[Part]) -> InvoiceReturn:
    amount_fen = sum(fen for _line, _quantity, fen in parts)
    now = clock.now()
    approver = asked.approver
    waits = approver is None or amount_fen > policy().return_review_above_fen
    returned = return_inserted(
        InvoiceReturn(
            client=asked.client,
            refund_no=asked.refund_no,
            input_hash=asked.input_hash,
            invoice=invoice,
            status=ReturnStatus.REVIEW if waits else ReturnStatus.ACCEPTED,
            amount_fen=amount_fen,
            reason=asked.reason,
            operator_code=asked.operator.code,
            operator_name=asked.operator.name,
            approver_code=approver.code if approver else "",
            approver_name=approver.name if approver else "",
            occurred_at=now,
            created_at=now,
        )
    )
    for line, quantity, fen in parts:
        line.returned_fen += fen
        line.returned_quantity += quantity
    InvoiceLine.objects.bulk_update(
        [line for line, _quantity, _fen in parts], ["returned_fen", "returned_quantity"]
    )
    ReturnLine.objects.bulk_create(
        ReturnLine(invoice_return=returned, line=line, quantity=quantity, amount_fen=fen)
        for line, quantity, fen in parts
    )
    if waits:
        review_open(
            reason=ReviewReason.RETURN_ABOVE_LIMIT if approver else ReviewReason.RETURN_AT_WINDOW,
            invoice=invoice,
            invoice_return=returned,
            figures={"amount_fen": amount_fen, "limit_fen": policy().return_review_above_fen},
            by=asked.operator,
        )
        return_event_add(invoice=invoice, returned=returned, type=EventType.REVIEW, occurred_at=now)
    else:
        _owe(invoice, returned)
    return returned


def _owe(invoice: Invoice, returned: InvoiceReturn) -> None:
    """The returned lines leave the revenue, and what is owed is cut into refunds with numbers;
    where a claim paid a part, the rest is settled again first."""
    if invoice.status not in RETURNABLE:
        raise _running()
    if invoice.settled_at is not None:
        return_resettle(invoice, returned)
    else:
        postings.post_return(
            reference=str(returned.pk),
            occurred_at=returned.occurred_at,
            invoice_id=invoice.pk,
            owed=refunds_cut(invoice, returned.amount_fen, returned=returned),
        )
    return_event_add(
        invoice=invoice,
        returned=returned,
        type=EventType.REFUND_ACCEPTED,
        occurred_at=returned.occurred_at,
    )


def _running() -> Conflict:
    return Conflict("return_running", _("Another return of this bill is not done yet."))


def _same_input(known: InvoiceReturn, input_hash: str) -> InvoiceReturn:
    if known.input_hash != input_hash:
        text = _("This number was used with other content.")
        raise NumberReused("number_reused", text, "refund_no")
    return known


def _invoice_id(client: HisClient, invoice_no: str) -> int:
    row = Invoice.objects.filter(client=client, invoice_no=invoice_no).values_list("pk").first()
    if row is not None:
        return int(row[0])
    raise NotFound("unknown_invoice", _("There is no such bill."), "invoice_no")
