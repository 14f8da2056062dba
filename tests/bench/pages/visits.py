"""Who opens which page: each page with as many visits as are measured, of as many people."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from tests.bench.bills import FIRST
from tests.bench.pages.building import link_token
from tests.bench.pages.people import card_no, person_name, person_number, person_phone
from tests.bench.pages.town import SAMPLE, Town

PAGE_MS, SEARCH_MS = 60, 300
STATEMENTS_MAX = 12
PAGE_KB = 100
SEARCH = "/admin/desk/search"

# A bill that waits, of somebody with an account; of yesterday or today, so that its link is valid.
_BILLS = """
SELECT id, patient_id FROM billing_invoice
WHERE patient_id < %(accounts_end)s AND mod(patient_id, {sample}) = 0 AND {where}
ORDER BY hashint8extended(id, 11) LIMIT %(count)s
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request: by the account of this number, by a member of staff, or by anybody (None)."""

    path: str
    user: int | str | None = None
    data: dict[str, str] | None = None
    status: int = 200


@dataclass(frozen=True, slots=True)
class Page:
    """`aim_ms` and `statements` are what is hoped for; `weighed`: also the size, as on a phone."""

    name: str
    visits: list[Visit] = field(repr=False)
    aim_ms: int = PAGE_MS
    statements: int | None = STATEMENTS_MAX
    weighed: bool = False


def pages_of(town: Town, count: int) -> list[Page]:
    """Every page with up to `count` visits, chosen alike in every run."""
    accounts = _spread(town.accounts, count)
    return [*_portal(town, accounts, count), *_desk(town, count), *_lists(town, count)]


def _portal(town: Town, accounts: list[int], count: int) -> list[Page]:
    waiting = _bills(town, "status = 'ISSUED'", count)
    recent = _bills(town, "status = 'ISSUED' AND id >= %(recent)s", count)
    paid = _bills(town, "status = 'PAID'", count)

    def own(name: str, path: str) -> Page:
        return Page(name, [Visit(path, n) for n in accounts], weighed=True)

    def of_bills(name: str, path: str, bills: list[tuple[int, int]]) -> Page:
        return Page(name, [Visit(path.format(bill), n) for bill, n in bills], weighed=True)

    return [
        own("home", "/"),
        own("bills", "/bills"),
        own("bills of a month", f"/bills?month={town.built_at:%Y-%m}"),
        own("bills paid", "/bills?state=paid"),
        of_bills("bill", "/bills/{}", paid),
        of_bills("bill to pay", "/bills/{}", waiting),
        of_bills("pay page", "/bills/{}/pay", waiting),
        Page(
            "pay link", [Visit(f"/p/{link_token(bill)}", None) for bill, _n in recent], weighed=True
        ),
        of_bills("result", "/bills/{}/result", paid),
        own("family", "/family"),
        own("agreements", "/agreements"),
        own("messages", "/messages"),
        Page("receipt PDF", [Visit(f"/bills/{bill}/receipt", n) for bill, n in paid]),
        own("code", "/code"),
    ]


def _desk(town: Town, count: int) -> list[Page]:
    people = _spread(town.patients, count)
    bills = _bills(town, "status = 'PAID'", count)

    def search(name: str, text: Callable[[Any], str], whom: list[Any]) -> Page:
        visits = [Visit(SEARCH, "cashier", {"q": text(one)}, status=0) for one in whom if text(one)]
        return Page(f"search {name}", visits, SEARCH_MS, None)

    return [
        search("card", card_no, people),
        search("ID number", person_number, people),
        search("phone", person_phone, people),
        search("name", lambda n: person_name(n - FIRST), people),
        search("begin of a name", lambda n: person_name(n - FIRST)[:2], people),
        search("order number", lambda bill: f"TX{bill[0]:028d}", bills),
        search("bill number", lambda bill: f"B{bill[0]:011d}", bills),
        Page(
            "desk patient",
            [Visit(f"/admin/desk/patients/{n}", "cashier") for _bill, n in bills],
            SEARCH_MS,
            None,
        ),
        Page(
            "desk bill",
            [Visit(f"/admin/desk/bills/{bill}", "cashier") for bill, _n in bills],
            SEARCH_MS,
            None,
        ),
    ]


def _lists(town: Town, count: int) -> list[Page]:
    bills = _bills(town, "status = 'PAID'", count)

    def listed(name: str, path: str, numbers: list[str]) -> list[Page]:
        return [
            Page(f"list of {name}", [Visit(path, "admin")] * len(numbers), SEARCH_MS, None),
            Page(
                f"{name} searched",
                [Visit(f"{path}?q={number}", "admin") for number in numbers],
                SEARCH_MS,
                None,
            ),
        ]

    return [
        *listed("bills", "/admin/billing/invoice/", [f"B{bill:011d}" for bill, _n in bills]),
        *listed(
            "payments",
            "/admin/billing/paymenttransaction/",
            [f"TX{bill:028d}" for bill, _n in bills],
        ),
    ]


def _bills(town: Town, where: str, count: int) -> list[tuple[int, int]]:
    """Some bills of the sample with the accounts of their patients."""
    with connection.cursor() as cursor:
        cursor.execute(_BILLS.format(sample=SAMPLE, where=where), {**town.values, "count": count})
        return list(cursor.fetchall())


def _spread(of: int, count: int) -> list[int]:
    """Numbers of the sample: the person with most bills, and others by lot."""
    first = FIRST + -FIRST % SAMPLE
    others = range(first + SAMPLE, FIRST + of, SAMPLE)
    return [first, *random.Random(count).sample(others, min(count - 1, len(others)))]
