"""Returns of goods and services, by line and quantity."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction

from sandbox.his import wire
from sandbox.his.locks import charges_locked
from sandbox.his.models import Charge, GoodsReturn, Invoice
from sandbox.his.numbers import number
from sandbox.his.services.desk import DeskRefusal, ask
from sandbox.his.words import return_words
from sandbox.world import clock


def return_open(
    *, invoice: Invoice, quantities: Mapping[str, Decimal | None], reason: str
) -> GoodsReturn:
    """Writes the return; `quantities` maps charge numbers to a quantity, None for all that is left.

    A part is priced by its share, rounded half up; the last part of a line takes the remainder.
    """
    if not quantities:
        raise DeskRefusal("请选择要退的收费。")
    with transaction.atomic():
        known = invoice.charges.filter(charge_no__in=quantities).values_list("pk", flat=True)
        charges = charges_locked(known)
        missing = set(quantities) - {charge.charge_no for charge in charges}
        if missing:
            raise DeskRefusal(f"这张账单没有收费 {'、'.join(sorted(missing))}。")
        lines = [_line(charge, quantities[charge.charge_no]) for charge in charges]
        now = clock.now()
        return GoodsReturn.objects.create(
            refund_no=number("F", now),
            invoice=invoice,
            lines=lines,
            amount_fen=sum(line["amount_fen"] for line in lines),
            reason=reason or "病人要求退费",
            created_at=now,
        )


def _line(charge: Charge, wanted: Decimal | None) -> dict[str, Any]:
    left = charge.open_quantity
    quantity = left if wanted is None else wanted
    if left <= 0:
        raise DeskRefusal(f"{charge.name} 已经全部退过。")
    if not 0 < quantity <= left:
        raise DeskRefusal(f"{charge.name} 最多可退 {wire.plain(left)} {charge.unit}。")
    fen = charge.open_fen if quantity == left else _share(charge, quantity)
    charge.returned_quantity += quantity
    charge.returned_fen += fen
    charge.save(update_fields=["returned_quantity", "returned_fen"])
    return {"charge_no": charge.charge_no, "quantity": wire.plain(quantity), "amount_fen": fen}


def _share(charge: Charge, quantity: Decimal) -> int:
    share = Decimal(charge.amount_fen) * quantity / charge.quantity
    return min(int(share.quantize(Decimal(1), rounding=ROUND_HALF_UP)), charge.open_fen)


def return_send(*, goods_return: GoodsReturn) -> dict[str, Any] | None:
    """Asks the portal; None when it refused or did not answer. May be sent again as it is."""
    invoice = goods_return.invoice
    answer = ask(
        visit=invoice.visit,
        what="退费",
        method="POST",
        path=f"invoices/{invoice.invoice_no}/refunds",
        body=wire.return_body(goods_return),
        words=return_words,
    )
    if answer.ok and answer.body.get("status") != "failed":
        GoodsReturn.objects.filter(pk=goods_return.pk).update(accepted=True)
        return answer.body
    if answer.ok or answer.refused:
        return_release(refund_no=goods_return.refund_no)
    return answer.body if answer.ok else None


def return_release(*, refund_no: str) -> None:
    """A return that will not happen gives its quantities back to the charges, once."""
    with transaction.atomic():
        rows = GoodsReturn.objects.filter(refund_no=refund_no).exclude(accepted=False)
        if not rows.update(accepted=False):
            return
        lines = {
            line["charge_no"]: line for line in GoodsReturn.objects.get(refund_no=refund_no).lines
        }
        ids = Charge.objects.filter(charge_no__in=lines).values_list("pk", flat=True)
        for charge in charges_locked(ids):
            line = lines[charge.charge_no]
            charge.returned_quantity -= Decimal(line["quantity"])
            charge.returned_fen -= line["amount_fen"]
            charge.save(update_fields=["returned_quantity", "returned_fen"])
