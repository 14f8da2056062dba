"""Short words for the ledger's tests."""

from __future__ import annotations

from datetime import datetime
from itertools import count

from billing import postings
from billing.ledger.chart import Event, clearing
from billing.ledger.entries import Leg
from billing.ledger.services import entry_post
from billing.models import Merchant, Payment, Shift
from core import clock

MERCHANT = "1900000001"
WECHAT = clearing("wechat_pay", MERCHANT)
_numbers = count(1)


def number() -> str:
    """A business number never used before in this process."""
    return f"N{next(_numbers)}"


def issue(invoice_id: int, amount_fen: int) -> int:
    return postings.post_invoice_issued(
        invoice_id=invoice_id, amount_fen=amount_fen, reference=number(), occurred_at=at()
    )


def by_wechat() -> Payment:
    """A payment at the merchant of these books; it is on no table."""
    return Payment(channel="wechat_pay", merchant=Merchant(merchant_no=MERCHANT))


def in_cash() -> Payment:
    """A payment into the main drawer; it is on no table."""
    return Payment(channel="cash", shift=Shift(shift_no="main"))


def capture(invoice_id: int, amount_fen: int) -> int:
    return postings.post_taken(
        invoice_id=invoice_id,
        payment=by_wechat(),
        amount_fen=amount_fen,
        reference=number(),
        occurred_at=at(),
    )


def give_back(invoice_id: int, refund_id: int, amount_fen: int) -> list[int]:
    return postings.post_return(
        invoice_id=invoice_id,
        owed=[postings.Owed(number(), refund_id, amount_fen)],
        reference=number(),
        occurred_at=at(),
    )


def post(*legs: Leg, invoice_id: int | None = None, reference: str = "") -> int:
    """Any legs under any event, past `billing.postings`."""
    return entry_post(
        reference=reference or number(),
        event=Event.CAPTURED,
        occurred_at=at(),
        legs=legs,
        invoice_id=invoice_id,
    )


def at() -> datetime:
    return clock.now()
