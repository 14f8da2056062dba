"""Two books compared number by number, so that two errors which make up for each other are seen.

A number is what both sides call one movement: a payment's or refund's at a channel, a bill's at the
HIS. Every number must have moved the same in both books; one that never moved anything is in none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import F, Func, Sum, TextField, Value

from billing.ledger.chart import MEDICAL_REVENUE
from billing.ledger.models import Posting
from billing.models import Invoice
from config.demo.sandbox_client import sandbox_transactions
from patients.models import HisClient

SHOWN_MAX = 200  # differing numbers named for one account
# A transfer leaves the payout float of its channel, not a merchant's clearing account.
TRANSFER = "transfer"
PAYOUT_FLOAT = "payout_float"
MOVED = "moved under this number"


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that two books do not agree on, in fen (or a count where it says so)."""

    where: str
    what: str
    ours: int
    theirs: int


def channel_numbers_compare(channel: str, merchants: Mapping[str, str]) -> list[Difference]:
    """Every number of a channel; `merchants` gives the clearing account of each we know."""
    theirs: dict[str, Counter[str]] = {merchant_no: Counter() for merchant_no in merchants}
    paid_out: Counter[str] = Counter()
    for row in sandbox_transactions(channel):
        if row["kind"] == TRANSFER:
            paid_out[row["number"]] += row["moved_fen"]
        elif row["merchant"] in theirs:
            theirs[row["merchant"]][row["number"]] += row["moved_fen"]
    found: list[Difference] = []
    for merchant_no, account in sorted(merchants.items()):
        found += _differences(account, _moved(account), theirs[merchant_no])
    fund = f"{PAYOUT_FLOAT}/{channel}"
    return found + _differences(fund, _moved(fund), paid_out)


def his_numbers_compare(counterparty: str) -> list[Difference]:
    """Every bill: what it brought the hospital by our books, and what the HIS charged by it.

    A bill's number is its client's own. The other side is one HIS: a number it names is of the
    client that is told there, and another client's bill with the same number stands for itself.
    """
    told = HisClient.objects.filter(events_url__startswith=settings.SANDBOX_URL).order_by("pk")
    codes = list(told.values_list("code", flat=True))
    bills = Invoice.objects.values_list("client__code", "invoice_no", "pk")
    numbers = {pk: f"{code} {number}" for code, number, pk in bills}
    known = {*numbers.values()}
    theirs: Counter[str] = Counter()
    for row in sandbox_transactions(counterparty):
        named = [f"{code} {row['number']}" for code in codes]
        theirs[next((name for name in named if name in known), named[0])] += row["moved_fen"]
    revenue = Posting.objects.filter(account__code=MEDICAL_REVENUE)
    earned = revenue.values_list("entry__invoice_id").annotate(fen=Sum("amount_fen"))
    ours: Counter[str] = Counter()
    for invoice_id, fen in earned:
        ours[numbers.get(invoice_id, f"#{invoice_id}")] -= fen
    return _differences(MEDICAL_REVENUE, ours, theirs)


def _moved(account: str) -> Counter[str]:
    """What each number moved on an account. The number follows the event in an entry's reference
    (`refund_done:RF…`); a refund that went out again has a count behind its own (`RF…-1`)."""
    number = _part(_part(F("entry__reference"), ":", 2), "-", 1)
    postings = Posting.objects.filter(account__code=account)
    rows = postings.values_list(number).annotate(fen=Sum("amount_fen"))
    return Counter({name: int(fen) for name, fen in rows})


def _part(text: Any, divider: str, place: int) -> Func:
    return Func(text, Value(divider), Value(place), function="split_part", output_field=TextField())


def _differences(
    where: str, ours: Mapping[str, int], theirs: Mapping[str, int]
) -> list[Difference]:
    differing = sorted(
        number for number in {*ours, *theirs} if ours.get(number, 0) != theirs.get(number, 0)
    )
    return [
        Difference(f"{where} {number}", MOVED, ours.get(number, 0), theirs.get(number, 0))
        for number in differing[:SHOWN_MAX]
    ]
