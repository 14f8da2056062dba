"""Small builders of charges and bills. A bill comes from the service that issues bills."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from billing.models import ChargeItem, Invoice
from billing.services.charging.invoices import invoice_issue
from core import clock
from core.actors import Actor
from patients.models import Encounter
from tests.factories.patients import encounter

OPERATOR = Actor("his", "C1", "收费员")
_numbers = itertools.count(1)


def charge(of: Encounter, amount_fen: int = 1000, charge_no: str = "", **values: Any) -> ChargeItem:
    n = next(_numbers)
    filled: dict[str, Any] = {
        "item_code": "001102000010000",
        "item_name": "普通门诊诊查费",
        "category": "02",
        "unit_price": Decimal(amount_fen) / 100,
        "quantity": Decimal(1),
        "input_hash": "",
        "ordered_at": clock.now(),
        "created_at": clock.now(),
    }
    return ChargeItem.objects.create(
        client=of.client,
        encounter=of,
        charge_no=charge_no or f"C{n}",
        amount_fen=amount_fen,
        **filled | values,
    )


def invoice(
    *amounts_fen: int, of: Encounter | None = None, invoice_no: str = "", **lines: Any
) -> Invoice:
    """An issued bill with one charge per amount (one of ¥10.00 when none is given)."""
    visit = of or encounter()
    for amount_fen in amounts_fen or (1000,):
        charge(visit, amount_fen, **lines)
    return invoice_issue(
        client=visit.client,
        encounter_no=visit.encounter_no,
        invoice_no=invoice_no or f"I{next(_numbers)}",
        operator=OPERATOR,
        input_hash="",
    ).invoice
