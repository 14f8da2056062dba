"""The only place of the HIS that takes a row lock."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.his.models import Charge, Invoice


def invoice_locked(invoice_no: str) -> Invoice:
    return Invoice.objects.select_for_update(of=("self",)).get(invoice_no=invoice_no)


def charges_locked(charge_ids: Iterable[int]) -> list[Charge]:
    rows = Charge.objects.select_for_update(of=("self",)).filter(pk__in=list(charge_ids))
    return list(rows.order_by("pk"))
