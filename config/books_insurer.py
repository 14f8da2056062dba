"""What the insurer owes by our ledger, and by its own books: each part, then each settlement.

Our side is what was posted when a claim was settled or reversed; what the insurer remits later
moves neither. Outside production only: the other side is the sandbox.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings
from django.db.models import Sum

from billing.ledger.chart import Event
from billing.ledger.models import Posting
from billing.models import Invoice, InvoiceStatus
from config.books_numbers import Difference
from config.demo.sandbox_client import sandbox_transactions
from insurance.models import Claim, Institution

NHSA = "nhsa"
PARTS = ("fund", "own_account", "mutual_aid")
SETTLEMENT = "owed for this settlement"
SHOWN_MAX = 200
BILL_OPEN = (
    "open: a bill whose claim is being settled or taken back, or whose cash part is being taken"
)
# A bill with a claim may still move money in these.
MOVING = (InvoiceStatus.COLLECTING, InvoiceStatus.PROCESSING, InvoiceStatus.RESETTLING)


def insurer_compare(books: dict[str, Any], compared: dict[str, dict[str, int]]) -> list[Difference]:
    """Fund, own account and mutual aid of every institution of ours."""
    if NHSA not in books:
        return []
    found: list[Difference] = []
    owed = _owed()
    places = _places()
    for pk, code in sorted(places.items(), key=lambda one: one[1]):
        theirs = books[NHSA].get(code)
        where = f"{NHSA}/{code}"
        if theirs is None:
            found.append(Difference(where, "institution unknown there", 1, 0))
            continue
        ours = _parts(pk, owed)
        compared[where] = ours
        found += [
            Difference(where, part, ours[part], theirs[part]["fen"])
            for part in PARTS
            if ours[part] != theirs[part]["fen"]
        ]
    return found + [
        Difference(f"{NHSA}/{code}", "institution unknown here", 0, sums["settled"]["fen"])
        for code, sums in sorted(books[NHSA].items())
        if code not in places.values() and sums["settled"]["fen"]
    ]


def insurer_numbers_compare() -> list[Difference]:
    """Every settlement by the insurer's own number: what we posted of it, and what it says."""
    owed = _owed()
    ours: Counter[str] = Counter()
    for pk, number in Claim.objects.filter(pk__in=owed).values_list("pk", "settlement_no"):
        ours[number] += owed[pk]
    theirs: Counter[str] = Counter()
    for row in sandbox_transactions(NHSA):
        paid_fen = row["fund_fen"] + row["own_account_fen"] + row["mutual_aid_fen"]
        theirs[row["parent"] or row["own_number"]] += paid_fen
    differing = sorted(number for number in {*ours, *theirs} if ours[number] != theirs[number])
    return [
        Difference(f"{NHSA} {number}", SETTLEMENT, ours[number], theirs[number])
        for number in differing[:SHOWN_MAX]
    ]


def insured_open() -> list[dict[str, Any]]:
    """Bills of ours whose claim has no end yet."""
    rows = Invoice.objects.filter(status__in=MOVING, claim__isnull=False)
    return [
        {
            "side": "ours",
            "invoice_no": row.invoice_no,
            "status": row.status,
            "amount_fen": row.amount_fen,
            "meaning": BILL_OPEN,
        }
        for row in rows.order_by("pk")[:50]
    ]


def _places() -> dict[int, str]:
    """Our institutions at the sandbox's platform, by their codes there."""
    rows = Institution.objects.filter(region__base_url__startswith=settings.SANDBOX_URL)
    return dict(rows.values_list("pk", "campus__institution_code"))


def _owed() -> dict[int, int]:
    """What the ledger holds against the insurer, by claim."""
    rows = (
        Posting.objects.filter(
            account__family="fund_receivable",
            entry__event__in=[Event.CLAIM_SETTLED, Event.CLAIM_REVERSED],
        )
        .values_list("subject")
        .annotate(fen=Sum("amount_fen"))
    )
    return {claim_id: int(fen) for claim_id, fen in rows}


def _parts(institution_id: int, owed: dict[int, int]) -> dict[str, int]:
    """The parts of the claims that the ledger still holds; what it holds beside them is `fund`."""
    standing = [pk for pk, fen in owed.items() if fen]
    rows = Claim.objects.filter(institution=institution_id)
    sums = rows.filter(pk__in=standing).aggregate(
        **{part: Sum(f"settled_{part}_fen", default=0) for part in PARTS}
    )
    held = sum(owed[pk] for pk in rows.filter(pk__in=list(owed)).values_list("pk", flat=True))
    parts = {part: int(sums[part]) for part in PARTS}
    return parts | {"fund": held - parts["own_account"] - parts["mutual_aid"]}
