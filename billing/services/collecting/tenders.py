"""Which way to pay comes next (the tender chain).

A code presented now comes first; then the payers' agreements in their order; then the pay link,
which is an offer and not a tender. The window (scan, cash) is the cashier's explicit choice. An
agreement outside its limits or hours is skipped, not tried.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from billing.channels.base import Mode
from billing.channels.registry import auth_code_channel
from billing.locks import agreements_lock
from billing.models import (
    CODE_METHODS,
    Agreement,
    CollectMethod,
    CollectRequest,
    Invoice,
    Merchant,
    Payment,
    Shift,
)
from billing.selectors.merchants import merchants_open
from billing.selectors.payments import (
    agreement_day_left_fen,
    agreement_is_open,
    agreement_left_fen,
)
from billing.services.shifts import shift_open_for
from core import clock

OFFERED = frozenset(
    {
        CollectMethod.AUTO,
        CollectMethod.SCAN,
        CollectMethod.ONE_CODE,
        CollectMethod.FACE,
        CollectMethod.AGREEMENT,
        CollectMethod.PAY_LINK,
        CollectMethod.CASH,
    }
)


@dataclass(frozen=True, slots=True)
class Tender:
    """One way to pay, ready to be begun."""

    channel: str
    mode: Mode
    amount_fen: int
    merchant: Merchant | None = None
    agreement: Agreement | None = None
    shift: Shift | None = None
    payer_id: int | None = None
    auth_code: str = field(default="", repr=False)


def tender_next(
    *, invoice: Invoice, collect: CollectRequest, amount_fen: int, tried: Iterable[Payment]
) -> Tender | None:
    """The next tender of a collect, or None when only the pay link is left.

    Called under the invoice's lock; agreements are locked here, so that a daily limit is reserved
    with the number that uses it.
    """
    tried = list(tried)
    campus_id = invoice.encounter.campus_id
    by_code = collect.auth_code and collect.method != CollectMethod.FACE
    if by_code and not any(p.mode == Mode.SCAN for p in tried):
        channel = auth_code_channel(collect.auth_code)
        merchant = merchants_open(channel=channel, campus_id=campus_id).first()
        if merchant is not None:
            return Tender(channel, Mode.SCAN, amount_fen, merchant, auth_code=collect.auth_code)
    if collect.method == CollectMethod.CASH and not tried:
        shift = shift_open_for(cashier=f"{collect.operator_kind}:{collect.operator_code}")
        return Tender("cash", Mode.CASH, amount_fen, shift=shift)
    if collect.method in (CollectMethod.AUTO, CollectMethod.AGREEMENT, *CODE_METHODS):
        return _agreement_tender(invoice, amount_fen, tried)
    return None


def _agreement_tender(invoice: Invoice, amount_fen: int, tried: list[Payment]) -> Tender | None:
    refused = {payment.agreement_id for payment in tried}
    candidates = [
        agreement for agreement in agreements_lock(invoice) if agreement.pk not in refused
    ]
    if not candidates:
        return None
    now = clock.now()
    for agreement in candidates:
        if agreement_allows(agreement, amount_fen, (agreement.used_fen, agreement.used_times), now):
            return agreement_tender(agreement, amount_fen)
    return None


def agreement_tender(agreement: Agreement, amount_fen: int) -> Tender:
    """Its holder pays, at the merchant it was signed with."""
    merchant = agreement.plan.merchant
    holder_id = agreement.holder_id
    return Tender(
        merchant.channel, Mode.AGREEMENT, amount_fen, merchant, agreement, payer_id=holder_id
    )


def agreement_allows(
    agreement: Agreement, amount_fen: int, used: tuple[int, int], at: datetime
) -> bool:
    """Whether the plan's and the holder's own limits and the hours admit one more deduction."""
    return amount_fen <= agreement_left_fen(agreement, used, at)


def agreement_waits(
    agreement: Agreement, amount_fen: int, used: tuple[int, int], at: datetime
) -> bool:
    """Whether only the hours are against it: later it would pay, which no higher limit does."""
    return not agreement_is_open(agreement, at) and amount_fen <= agreement_day_left_fen(
        agreement, used
    )
