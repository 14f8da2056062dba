"""Issue a bill from a visit's charges, and cancel one that nobody has paid.

Both move the same things in opposite directions in one transaction: the charges, the receivable,
the event for the HIS. The number of statements does not depend on the number of lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from billing.locks import collect_lock, invoice_lock
from billing.locks.charges import (
    charges_locked,
    charges_of_invoice_locked,
    charges_unbilled_locked,
)
from billing.models import (
    ChargeItem,
    ChargeStatus,
    EventType,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
)
from billing.postings import post_invoice_cancelled, post_invoice_issued
from billing.selectors.insured import insurance_is_wanted
from billing.selectors.invoices import invoice_find, invoice_get
from billing.selectors.payments import open_capture
from billing.services.events.outbox import event_add
from billing.services.insuring.opening import claim_begin
from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict, NotFound
from core.failpoints import failpoint
from core.idempotency import NumberReused
from core.integrity import constraint_name
from core.money import FEN_MAX
from core.outcomes import Outcome
from core.states import transition, transition_all
from insurance.services.claims import claim_release
from patients.models import Encounter, EncounterStatus, HisClient
from patients.services.encounters import encounter_hold

LINES_MAX = 5000


@dataclass(frozen=True, slots=True)
class InvoiceIssued:
    """`created` is false when the number had issued this very bill before."""

    invoice: Invoice
    created: bool


def invoice_issue(
    *,
    client: HisClient,
    encounter_no: str,
    invoice_no: str,
    operator: Actor,
    input_hash: str,
    charge_nos: Sequence[str] | None = None,
) -> InvoiceIssued:
    """Issue a bill for the given charges, or for all that are unbilled.

    Two calls at once issue one bill: the visit's lock puts them in a row, and the second finds the
    first. The same number with other input is refused.
    """
    try:
        with transaction.atomic():
            encounter = encounter_hold(client=client, encounter_no=encounter_no)
            known = invoice_find(client=client, invoice_no=invoice_no)
            if known is not None:
                return _replayed(known, encounter, input_hash)
            return _issued(encounter, invoice_no, operator, input_hash, charge_nos)
    except IntegrityError as error:
        if constraint_name(error) != "invoice_unique":
            raise
        # Only another visit can have taken the number meanwhile: this visit was locked.
        raise _reused() from None


def _reused() -> NumberReused:
    return NumberReused(
        "number_reused", _("This number was used with other content."), "invoice_no"
    )


def _replayed(known: Invoice, encounter: Encounter, input_hash: str) -> InvoiceIssued:
    if known.encounter_id != encounter.pk or known.input_hash != input_hash:
        raise _reused()
    return InvoiceIssued(known, False)


def _issued(
    encounter: Encounter,
    invoice_no: str,
    operator: Actor,
    input_hash: str,
    charge_nos: Sequence[str] | None,
) -> InvoiceIssued:
    """The bill with all that belongs to it, in the caller's transaction."""
    if encounter.status == EncounterStatus.CANCELLED:
        raise Conflict("encounter_ended", _("This visit is cancelled."), "encounter_no")
    charges = _charges(encounter, charge_nos)
    now = clock.now()
    invoice = _invoice(
        encounter,
        charges,
        invoice_no=invoice_no,
        operator=operator,
        input_hash=input_hash,
        now=now,
    )
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            charge=charge,
            amount_fen=charge.amount_fen,
            quantity=charge.quantity,
        )
        for charge in charges
    )
    transition_all(charges, ChargeStatus.BILLED, by=operator, reason=invoice_no)
    post_invoice_issued(
        invoice_id=invoice.pk,
        amount_fen=invoice.amount_fen,
        reference=_reference(invoice),
        occurred_at=now,
    )
    failpoint("issue.posted")
    if invoice.status == InvoiceStatus.PRICING:
        claim_begin(invoice=invoice, by=operator)
        return InvoiceIssued(invoice, True)
    event_add(
        invoice=invoice,
        type=EventType.PRICED,
        data={"amount_fen": invoice.amount_fen, "cash_fen": invoice.cash_fen},
        occurred_at=now,
    )
    return InvoiceIssued(invoice, True)


def _charges(encounter: Encounter, charge_nos: Sequence[str] | None) -> list[ChargeItem]:
    if charge_nos is None:
        charges = charges_unbilled_locked(encounter)
    else:
        charges = _named_charges(encounter, charge_nos)
    if not charges:
        raise Conflict("nothing_to_bill", _("There is no charge to bill."), "charge_nos")
    if len(charges) > LINES_MAX:
        raise Conflict(
            "too_many", _("One bill holds at most 5,000 charges; name them."), "charge_nos"
        )
    return charges


def _named_charges(encounter: Encounter, charge_nos: Sequence[str]) -> list[ChargeItem]:
    if len(set(charge_nos)) != len(charge_nos):
        raise BadInput("twice_in_list", _("A number is in the list twice."), "charge_nos")
    rows = charges_locked(client=encounter.client, charge_nos=charge_nos)
    found = {row.charge_no: row for row in rows if row.encounter_id == encounter.pk}
    for position, number in enumerate(charge_nos):
        row = found.get(number)
        if row is None:
            raise NotFound(
                "unknown_charge",
                _("This visit has no charge with this number."),
                f"charge_nos[{position}]",
            )
        if row.status != ChargeStatus.UNBILLED:
            raise Conflict(
                "charge_not_unbilled",
                _("This charge is billed already or cancelled."),
                f"charge_nos[{position}]",
            )
    return [found[number] for number in charge_nos]


def _invoice(
    encounter: Encounter,
    charges: list[ChargeItem],
    *,
    invoice_no: str,
    operator: Actor,
    input_hash: str,
    now: datetime,
) -> Invoice:
    """The new row. Without a coverage the whole amount is the patient's, to pay at once; with one
    the insurer is asked next."""
    amount_fen = sum(charge.amount_fen for charge in charges)
    if amount_fen > FEN_MAX:
        raise Conflict("amount_too_large", _("The bill's sum is too large."), "charge_nos")
    insured = insurance_is_wanted(encounter)
    return Invoice.objects.create(
        client=encounter.client,
        invoice_no=invoice_no,
        encounter=encounter,
        patient_id=encounter.patient_id,
        status=InvoiceStatus.PRICING if insured else InvoiceStatus.ISSUED,
        due_at=now if insured else None,
        amount_fen=amount_fen,
        cash_fen=amount_fen,
        operator_code=operator.code,
        operator_name=operator.name,
        input_hash=input_hash,
        occurred_at=now,
        created_at=now,
    )


def invoice_cancel(
    *, client: HisClient, invoice_no: str, operator: Actor, reason: str = ""
) -> Invoice:
    """Cancel a bill nobody has paid or is paying; its charges can be billed again.

    Cancelling it again changes nothing.
    """
    found = invoice_get(client=client, invoice_no=invoice_no)
    if found.claim_id is not None:
        _claim_let_go(found, operator)
    with transaction.atomic():
        encounter_hold(client=client, encounter_no=found.encounter.encounter_no)
        invoice = invoice_lock(found.pk)
        if invoice.status == InvoiceStatus.CANCELLED:
            return invoice
        _refuse_cancel(invoice)
        now = clock.now()
        charges = charges_of_invoice_locked(invoice)
        InvoiceLine.objects.filter(invoice=invoice).update(live=False)
        transition_all(charges, ChargeStatus.UNBILLED, by=operator, reason=invoice_no)
        transition(
            invoice, InvoiceStatus.CANCELLED, by=operator, reason=reason, due_at=None, action=None
        )
        post_invoice_cancelled(
            invoice_id=invoice.pk,
            amount_fen=invoice.amount_fen,
            reference=_reference(invoice),
            occurred_at=now,
        )
        event_add(
            invoice=invoice,
            type=EventType.CANCELLED,
            data={"amount_fen": invoice.amount_fen},
            occurred_at=now,
        )
        return invoice


def _claim_let_go(found: Invoice, operator: Actor) -> None:
    """End what the insurer was asked about a bill that may be cancelled. Conflict while it is not
    sure that nothing of it is settled."""
    with transaction.atomic():
        invoice = invoice_lock(found.pk)
        if invoice.status == InvoiceStatus.CANCELLED or invoice.claim_id is None:
            return
        _refuse_cancel(invoice)
    released = claim_release(claim_id=invoice.claim_id, by=operator)
    if released.outcome is not Outcome.SUCCEEDED:
        raise Conflict("claim_stands", released.sentence or _NOT_RELEASED, "invoice_no")


_NOT_RELEASED = _("The insurer has settled this bill, or does not say so yet. Try again later.")


def _refuse_cancel(invoice: Invoice) -> None:
    if invoice.status in Invoice.PAID_ONCE:
        raise Conflict("invoice_paid", _("This bill is paid: return it instead."), "invoice_no")
    if invoice.status not in (InvoiceStatus.ISSUED, InvoiceStatus.PRICING):
        raise Conflict(
            "invoice_busy", _("This bill is being collected or under review."), "invoice_no"
        )
    if collect_lock(invoice) is not None or open_capture(invoice) is not None:
        raise Conflict("invoice_busy", _("This bill is being collected."), "invoice_no")


def _reference(invoice: Invoice) -> str:
    """Unique in the house; the HIS's own number is unique only per client."""
    return f"{invoice.client_id}/{invoice.invoice_no}"
