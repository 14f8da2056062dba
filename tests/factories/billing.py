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
    return _issued(visit, invoice_no)


# What a heart patient's visit costs: the doctor, and two drugs for a month.
VISIT = (
    ("02", "001102000010000", "普通门诊诊查费", 700, 1),
    ("09", "YP0417", "阿托伐他汀钙片", 4_260, 1),
    ("09", "YP0233", "苯磺酸氨氯地平片", 3_680, 2),
)


def visit_bill(of: Encounter, invoice_no: str = "") -> Invoice:
    """A bill as a patient would know it, ¥86.40 in all."""
    for category, code, name, amount_fen, quantity in VISIT:
        charge(
            of,
            amount_fen,
            category=category,
            item_code=code,
            item_name=name,
            unit_price=Decimal(amount_fen) / 100 / quantity,
            quantity=Decimal(quantity),
        )
    return _issued(of, invoice_no)


def _issued(visit: Encounter, invoice_no: str) -> Invoice:
    return invoice_issue(
        client=visit.client,
        encounter_no=visit.encounter_no,
        invoice_no=invoice_no or f"I{next(_numbers)}",
        operator=OPERATOR,
        input_hash="",
    ).invoice
