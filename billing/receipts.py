"""The receipt of a paid bill as a PDF (缴费凭证): proof of payment, not the tax e-invoice.

The page is set by typst from a template of ours; what a bill says goes in as data and is never read
as markup. The font comes from a locked package: the same file on every machine.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import typst
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from pylopdf_fonts_zh_cn import sans_path

from billing.page_values import InvoicePage
from core import clock
from core.money import format_yuan

TEMPLATE = Path(__file__).parent / "receipt.typ"


def receipt_pdf(page: InvoicePage, *, name: str, department: str) -> bytes:
    """Set the receipt of a settled bill; `department` is empty for who may only pay."""
    answer = typst.compile(
        TEMPLATE.read_bytes(),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"receipt": json.dumps(receipt_facts(page, name=name, department=department))},
    )
    assert isinstance(answer, bytes)
    return answer


@cache
def _fonts() -> typst.Fonts:
    """Read once for the life of the process: finding the glyphs takes longer than setting."""
    return typst.Fonts(font_paths=[str(sans_path().parent)], include_system_fonts=False)


def receipt_facts(page: InvoicePage, *, name: str, department: str) -> dict[str, object]:
    """Every word on the receipt, ready to set."""
    paid_at = page.occurred_at.astimezone(clock.ZONE) if page.occurred_at else None
    facts = [
        (_("patient"), name),
        (_("department"), department),
        (_("bill number"), page.invoice_no),
        (_("receipt number"), page.receipt_no),
        (_("way to pay"), str(page.channel)),
        (_("time"), date_format(paid_at, "Y-m-d H:i") if paid_at else ""),
    ]
    parts = [(str(part.label), format_yuan(part.fen)) for part in page.other_parts]
    total = [(_("total"), format_yuan(page.amount_fen))] if page.split else []
    return {
        "hospital": page.hospital.name,
        "title": _("Payment receipt"),
        "facts": [(_capital(label), value) for label, value in facts if value],
        "sum_label": _("You paid") if page.paid_by_reader else _capital(_("paid")),
        "sum": format_yuan(page.cash_fen),
        "parts": [(_capital(label), value) for label, value in (*total, *parts)],
        "lines_title": _("Charges in detail"),
        "lines": [
            (str(group.label), line.name, line.detail, format_yuan(line.amount_fen))
            for group in page.groups
            for line in group.lines
        ],
        "refunds": [
            (_capital(str(row.title)), "+" + format_yuan(row.amount_fen)) for row in page.refunds
        ],
        "note": _("Proof of payment. The electronic invoice is issued separately."),
        "place": page.hospital.no_phone.place,
        "phone": page.hospital.no_phone.phone,
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
