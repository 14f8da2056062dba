"""Which accounts a business event touches: one function per event, its docstring shows Dr / Cr.

Only this module knows. Callers give ids, amounts and the business number of the event as
`reference`; the entry's reference is `event:reference`, so one number may carry several events and
each is posted once. All raise what `billing.ledger.services.entry_post` raises; `AlreadyPosted`
means the event is in the books and the caller may go on. A negative or zero amount is refused:
which way the money goes is the event, not a sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.ledger.chart import (
    MEDICAL_REVENUE,
    PATIENT_RECEIVABLE,
    REFUND_PAYABLE,
    UNAPPLIED,
    Event,
    cash_drawer,
    clearing,
    fund_receivable,
    revenue_reduction,
)
from billing.ledger.entries import EntryDraft, Leg, UnbalancedEntry
from billing.ledger.services import entries_post, entry_post
from billing.models import Payment
from insurance.gateway.claim_values import Split

HOSPITAL_PART = "hospital_part"


def post_invoice_issued(
    *, invoice_id: int, amount_fen: int, reference: str, occurred_at: datetime
) -> int:
    """Dr patient_receivable [invoice] / Cr medical_revenue."""
    legs = _legs(amount_fen, (PATIENT_RECEIVABLE, invoice_id), (MEDICAL_REVENUE,))
    return _post(Event.INVOICE_ISSUED, reference, occurred_at, legs, invoice_id)


def post_invoice_cancelled(
    *, invoice_id: int, amount_fen: int, reference: str, occurred_at: datetime
) -> int:
    """Dr medical_revenue / Cr patient_receivable [invoice]: the issue, reversed."""
    legs = _legs(amount_fen, (MEDICAL_REVENUE,), (PATIENT_RECEIVABLE, invoice_id))
    return _post(Event.INVOICE_CANCELLED, reference, occurred_at, legs, invoice_id)


def tender_account(payment: Payment) -> str:
    """Where a payment's money lies: the drawer of its shift, else its merchant's clearing."""
    if payment.shift is not None:
        return cash_drawer(payment.shift.shift_no)
    assert payment.merchant is not None  # the database demands one of the two
    return clearing(payment.channel, payment.merchant.merchant_no)


def post_taken(
    *,
    invoice_id: int,
    payment: Payment,
    amount_fen: int,
    reference: str,
    occurred_at: datetime,
) -> int:
    """Dr clearing/channel/merchant or cash_drawer/shift / Cr patient_receivable [invoice]."""
    event = Event.CAPTURED if payment.shift is None else Event.CASH_TAKEN
    legs = _legs(amount_fen, (tender_account(payment),), (PATIENT_RECEIVABLE, invoice_id))
    return _post(event, reference, occurred_at, legs, invoice_id)


@dataclass(frozen=True, slots=True)
class Owed:
    """One refund of a return: its number, the row its debt is about, and how much."""

    reference: str
    refund_id: int
    amount_fen: int


def post_return(
    *,
    invoice_id: int,
    reference: str,
    owed: Sequence[Owed],
    occurred_at: datetime,
    returned_fen: int | None = None,
) -> list[int]:
    """Dr medical_revenue / Cr patient_receivable [invoice], then for each refund
    Dr patient_receivable [invoice] / Cr refund_payable [refund]. One statement.

    `returned_fen` is what the lines were worth, where a claim paid a part of it; else all of it is
    owed. The database refuses more than was received for the invoice through tenders not the fund.
    """
    if returned_fen is None:
        returned_fen = sum(refund.amount_fen for refund in owed)
    legs = _legs(returned_fen, (MEDICAL_REVENUE,), (PATIENT_RECEIVABLE, invoice_id))
    lines = _draft(Event.LINES_RETURNED, reference, occurred_at, legs, invoice_id)
    return entries_post([lines, *_owed_drafts(Event.REFUND_OWED, invoice_id, owed, occurred_at)])


def post_excess_owed(*, invoice_id: int, owed: Sequence[Owed], occurred_at: datetime) -> list[int]:
    """For each refund Dr patient_receivable [invoice] / Cr refund_payable [refund]: a settlement
    left less to the patient than was taken, or was made with nobody. One statement."""
    return entries_post(_owed_drafts(Event.EXCESS_OWED, invoice_id, owed, occurred_at))


def _owed_drafts(
    event: Event, invoice_id: int, owed: Sequence[Owed], occurred_at: datetime
) -> list[EntryDraft]:
    drafts = []
    for one in owed:
        legs = _legs(
            one.amount_fen, (PATIENT_RECEIVABLE, invoice_id), (REFUND_PAYABLE, one.refund_id)
        )
        drafts.append(_draft(event, one.reference, occurred_at, legs, invoice_id))
    return drafts


@dataclass(frozen=True, slots=True)
class ClaimPart:
    """What a settlement of a bill leaves to whom, and whose books it stands in."""

    invoice_id: int
    claim_id: int
    agency: str
    split: Split
    occurred_at: datetime


def post_claim_settled(part: ClaimPart) -> None:
    """Dr fund_receivable/agency [claim]: fund, own account, mutual aid / Cr patient_receivable
    [invoice]; hospital part: Dr revenue_reduction/hospital_part / Cr patient_receivable [invoice].
    One statement; what the patient pays alone moves nothing here."""
    _claim_post(part, (Event.CLAIM_SETTLED, Event.HOSPITAL_PART), 1)


def post_claim_reversed(part: ClaimPart) -> None:
    """Both entries of `post_claim_settled` with the signs swapped."""
    _claim_post(part, (Event.CLAIM_REVERSED, Event.HOSPITAL_PART_REVERSED), -1)


def post_hospital_bears(
    *, invoice_id: int, amount_fen: int, reference: str, occurred_at: datetime
) -> None:
    """Dr revenue_reduction/hospital_part / Cr patient_receivable [invoice]; a negative amount takes
    what was borne back. Nothing is posted where nothing is borne."""
    if not amount_fen:
        return
    event = Event.HOSPITAL_BEARS if amount_fen > 0 else Event.HOSPITAL_BEARS_REVERSED
    legs = [
        Leg(revenue_reduction(HOSPITAL_PART), amount_fen),
        Leg(PATIENT_RECEIVABLE, -amount_fen, invoice_id),
    ]
    _post(event, reference, occurred_at, legs, invoice_id)


def _claim_post(part: ClaimPart, events: tuple[Event, Event], sign: int) -> None:
    split, fund = part.split, fund_receivable(part.agency)
    owed = (split.fund_fen, split.own_account_fen, split.mutual_aid_fen)
    reduced = Leg(revenue_reduction(HOSPITAL_PART), sign * split.hospital_part_fen)
    entries = (
        (events[0], [Leg(fund, sign * fen, part.claim_id) for fen in owed]),
        (events[1], [reduced]),
    )
    drafts = []
    for event, all_legs in entries:
        legs = [leg for leg in all_legs if leg.amount_fen]
        if legs:
            total_fen = sum(leg.amount_fen for leg in legs)
            legs.append(Leg(PATIENT_RECEIVABLE, -total_fen, part.invoice_id))
            at = part.occurred_at
            drafts.append(_draft(event, str(part.claim_id), at, legs, part.invoice_id))
    if drafts:
        entries_post(drafts)


def post_refund_done(
    *,
    refund_id: int,
    amount_fen: int,
    route: str,
    reference: str,
    occurred_at: datetime,
    invoice_id: int | None = None,
) -> int:
    """Dr refund_payable [refund] / Cr the account it leaves by (`route`, a path of the chart)."""
    legs = _legs(amount_fen, (REFUND_PAYABLE, refund_id), (route,))
    return _post(Event.REFUND_DONE, reference, occurred_at, legs, invoice_id)


def post_refund_came_back(
    *,
    refund_id: int,
    amount_fen: int,
    route: str,
    reference: str,
    occurred_at: datetime,
    invoice_id: int | None = None,
) -> int:
    """Dr the account it had left by (`route`) / Cr refund_payable [refund] (退票)."""
    legs = _legs(amount_fen, (route,), (REFUND_PAYABLE, refund_id))
    return _post(Event.REFUND_CAME_BACK, reference, occurred_at, legs, invoice_id)


def post_unexpected_in(
    *,
    payment_transaction_id: int,
    amount_fen: int,
    account: str,
    reference: str,
    occurred_at: datetime,
    invoice_id: int | None = None,
) -> int:
    """Dr the account it came in by (`account`) / Cr unapplied [payment transaction]."""
    legs = _legs(amount_fen, (account,), (UNAPPLIED, payment_transaction_id))
    return _post(Event.UNEXPECTED_IN, reference, occurred_at, legs, invoice_id)


def post_unexpected_owed(
    *,
    payment_transaction_id: int,
    refund_id: int,
    amount_fen: int,
    reference: str,
    occurred_at: datetime,
    invoice_id: int | None = None,
) -> int:
    """Dr unapplied [payment transaction] / Cr refund_payable [refund]: it goes back."""
    legs = _legs(amount_fen, (UNAPPLIED, payment_transaction_id), (REFUND_PAYABLE, refund_id))
    return _post(Event.UNEXPECTED_OWED, reference, occurred_at, legs, invoice_id)


def post_unexpected_applied(
    *,
    payment_transaction_id: int,
    invoice_id: int,
    amount_fen: int,
    reference: str,
    occurred_at: datetime,
) -> int:
    """Dr unapplied [payment transaction] / Cr patient_receivable [invoice]: it pays after all."""
    legs = _legs(amount_fen, (UNAPPLIED, payment_transaction_id), (PATIENT_RECEIVABLE, invoice_id))
    return _post(Event.UNEXPECTED_APPLIED, reference, occurred_at, legs, invoice_id)


def _legs(
    amount_fen: int, debit: tuple[str] | tuple[str, int], credit: tuple[str] | tuple[str, int]
) -> tuple[Leg, Leg]:
    """Debit and credit, each an account and, where it is shared, the row it is about."""
    if amount_fen <= 0:
        raise UnbalancedEntry(f"an event of {amount_fen} fen")
    return Leg(debit[0], amount_fen, *debit[1:]), Leg(credit[0], -amount_fen, *credit[1:])


def _draft(
    event: Event, reference: str, occurred_at: datetime, legs: Sequence[Leg], invoice_id: int | None
) -> EntryDraft:
    return EntryDraft(f"{event}:{reference}", event, occurred_at, legs, invoice_id)


def _post(
    event: Event, reference: str, occurred_at: datetime, legs: Sequence[Leg], invoice_id: int | None
) -> int:
    draft = _draft(event, reference, occurred_at, legs, invoice_id)
    return entry_post(
        reference=draft.reference,
        event=draft.event,
        occurred_at=draft.occurred_at,
        legs=draft.legs,
        invoice_id=draft.invoice_id,
    )
