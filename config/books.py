"""Two independent ledgers side by side: ours, and what each counterparty believes happened.

Outside production only: the other side is the sandbox. Clearing accounts must equal the books of
every channel that keeps some to the fen; the HIS's charges must equal what we took for revenue.
Sums are compared first, and once nothing is open every number (`books_numbers`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q, Sum

from billing.ledger.chart import MEDICAL_REVENUE, REFUND_PAYABLE, UNAPPLIED, Event, clearing
from billing.ledger.checking import ledger_check
from billing.ledger.models import Posting
from billing.ledger.selectors import account_balance
from billing.models import HisEvent, Invoice, Merchant, PaymentTransaction
from config.books_insurer import (
    NHSA,
    insured_open,
    insurer_compare,
    insurer_numbers_compare,
)
from config.books_numbers import Difference, channel_numbers_compare, his_numbers_compare
from config.demo.sandbox_client import sandbox_books
from core.review import ReviewStatus
from patients.models import HisClient

POLL_S = 1.0
HIS = "his"
HIS_WHERE = "his/hospital"
ORDER_OPEN = (
    "open: an order that may still move money, such as a code shown and not yet paid; "
    "it ends when it is paid, closed or expired"
)
TENDER_OPEN = "open: a payment or refund of ours without a final answer; `resolve_unknown` asks now"
EVENT_OPEN = "open: an event that the HIS has not taken yet; it is sent again"


@dataclass(frozen=True, slots=True)
class Comparison:
    compared: dict[str, dict[str, int]]
    differences: list[Difference]
    open: list[dict[str, Any]]


def books_compare() -> Comparison:
    """Compare now: every counterparty that keeps books is in `compared`. `open` lists what may
    still move money, on either side, and says in words what it is."""
    books = sandbox_books()
    channels = sorted(books.keys() - {HIS, NHSA})
    compared: dict[str, dict[str, int]] = {}
    differences: list[Difference] = []
    known: set[tuple[str, str]] = set()
    for merchant in Merchant.objects.filter(channel__in=channels).order_by("pk"):
        theirs = books[merchant.channel].get(merchant.merchant_no)
        known.add((merchant.channel, merchant.merchant_no))
        if theirs is None:
            differences.append(Difference(str(merchant), "merchant unknown there", 1, 0))
            continue
        where = clearing(merchant.channel, merchant.merchant_no)
        ours = _clearing_sums(where)
        # A reversed capture never was ours: the channel counts it in and out again.
        their_net = {
            "captured": theirs["captured"]["fen"] - theirs["reversed"]["fen"],
            "refunded": theirs["refunded"]["fen"] - theirs["returned"]["fen"],
        }
        compared[where] = ours
        differences += [
            Difference(where, what, ours[what], their_net[what])
            for what in ours
            if ours[what] != their_net[what]
        ]
    for channel in channels:
        differences += [
            Difference(f"{channel}/{number}", "merchant unknown here", 0, moved)
            for number, sums in sorted(books[channel].items())
            if (channel, number) not in known and (moved := sums["captured"]["fen"])
        ]
    differences += _his_compare(books, compared) + insurer_compare(books, compared)
    still_open = _open(books, channels)
    if not still_open:
        differences += _numbers_compare(known, compared)
    return Comparison(compared, differences + _own_differences(), still_open)


def _numbers_compare(
    known: set[tuple[str, str]], compared: dict[str, dict[str, int]]
) -> list[Difference]:
    """Every number of the merchants and of the HIS whose sums were compared."""
    found: list[Difference] = []
    for channel in sorted({channel for channel, _number in known}):
        accounts = {
            number: clearing(channel, number)
            for of, number in known
            if of == channel and clearing(channel, number) in compared
        }
        if accounts:
            found += channel_numbers_compare(channel, accounts)
    if any(where.startswith(NHSA) for where in compared):
        found += insurer_numbers_compare()
    return found + (his_numbers_compare(HIS) if HIS_WHERE in compared else [])


def _his_compare(books: dict[str, Any], compared: dict[str, dict[str, int]]) -> list[Difference]:
    """What the HIS charged and took off again, by its own books, is our medical revenue."""
    told = HisClient.objects.filter(events_url__startswith=settings.SANDBOX_URL).exists()
    theirs = books.get(HIS, {}).get("hospital")
    if not told or theirs is None:
        return []
    charged_fen = theirs["charged"]["fen"] - theirs["cancelled"]["fen"]
    revenue_fen = -account_balance(MEDICAL_REVENUE)
    compared[HIS_WHERE] = {"charged": revenue_fen}
    if revenue_fen == charged_fen:
        return []
    return [Difference("medical_revenue", "charged", revenue_fen, charged_fen)]


def books_wait(patience_s: float) -> Comparison:
    """Compare once nothing is open, or when patience ends."""
    deadline = time.monotonic() + patience_s
    while True:
        comparison = books_compare()
        settled = not comparison.open and not comparison.differences
        if settled or time.monotonic() >= deadline:
            return comparison
        time.sleep(POLL_S)


def _clearing_sums(code: str) -> dict[str, int]:
    """What came in and what went back through one clearing account."""
    rows = Posting.objects.filter(account__code=code).aggregate(
        captured=Sum(
            "amount_fen",
            filter=Q(entry__event__in=[Event.CAPTURED, Event.UNEXPECTED_IN]),
            default=0,
        ),
        refunded=Sum(
            "amount_fen",
            filter=Q(entry__event__in=[Event.REFUND_DONE, Event.REFUND_CAME_BACK]),
            default=0,
        ),
    )
    return {"captured": int(rows["captured"]), "refunded": -int(rows["refunded"])}


def _own_differences() -> list[Difference]:
    """What our own books must satisfy by themselves."""
    report = ledger_check()
    found = [Difference("ledger", str(text), 1, 0) for text in report.violations]
    if report.unbalanced:
        found.append(Difference("ledger", "unbalanced entries", report.unbalanced, 0))
    paid = Invoice.objects.filter(status__in=["PAID", "PARTLY_REFUNDED", "REFUNDED"])
    owing = (
        Posting.objects.filter(account__code="patient_receivable", subject__in=paid.values("pk"))
        .values("subject")
        .annotate(fen=Sum("amount_fen"))
        .exclude(fen=0)
    )
    found += [
        Difference(f"invoice {row['subject']}", "receivable of a paid bill", row["fen"], 0)
        for row in owing[:20]
    ]
    return found + owed_unseen()


def owed_unseen() -> list[Difference]:
    """What is owed to a payer, or was taken too much, and neither moves nor waits for a person."""
    standing = (
        Posting.objects.filter(account__code__in=[REFUND_PAYABLE, UNAPPLIED])
        .values("account__code", "subject")
        .annotate(fen=Sum("amount_fen"))
        .exclude(fen=0)
    )
    moving = PaymentTransaction.objects.filter(
        Q(status__in=PaymentTransaction.IN_FLIGHT) | Q(reviews__status=ReviewStatus.OPEN)
    )
    seen = {subject for pair in moving.values_list("pk", "reissue_of") for subject in pair}
    return [
        Difference(
            f"{row['account__code']} {row['subject']}", "owed, seen by nobody", row["fen"], 0
        )
        for row in standing.order_by("subject")[:200]
        if row["subject"] not in seen
    ]


def _open(books: dict[str, Any], channels: list[str]) -> list[dict[str, Any]]:
    """Ours in flight, and theirs not final."""
    ours = PaymentTransaction.objects.filter(status__in=PaymentTransaction.IN_FLIGHT)
    found: list[dict[str, Any]] = [
        {
            "side": "ours",
            "number": row.number,
            "status": row.status,
            "amount_fen": row.amount_fen,
            "meaning": TENDER_OPEN,
        }
        for row in ours.order_by("pk")[:50]
    ]
    untold = HisEvent.objects.filter(
        client__events_url__startswith=settings.SANDBOX_URL, delivered_at=None
    )
    found += [
        {"side": "ours", "event": event.pk, "type": event.type, "meaning": EVENT_OPEN}
        for event in untold.order_by("pk")[:50]
    ]
    found += insured_open()
    for counterparty in sorted({*channels, NHSA} & books.keys()):
        for merchant, sums in books[counterparty].items():
            if sums["open"]["count"]:
                found.append({"side": counterparty, "merchant": merchant, **_still(sums["open"])})
    return found


def _still(waiting: dict[str, int]) -> dict[str, Any]:
    return {"count": waiting["count"], "amount_fen": waiting["fen"], "meaning": ORDER_OPEN}
