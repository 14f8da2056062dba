"""What may be given back of a bill's lines: quantity and amount, never more than is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from django.utils.translation import gettext_lazy as _

from billing.models import Invoice, InvoiceLine, InvoiceReturn
from core.errors import BadInput, Conflict
from core.money import format_yuan, share_fen

Part = tuple[InvoiceLine, Decimal, int]


@dataclass(frozen=True, slots=True)
class ReturnInput:
    """One line given back: quantity ≤ 4 places, amount in fen."""

    charge_no: str
    quantity: Decimal
    amount_fen: int


def parts_checked(invoice: Invoice, wanted: Sequence[ReturnInput] | None) -> list[Part]:
    """What each line of a locked invoice gives back; None = all that is left of it.

    Raises BadInput for a charge not on the bill, Conflict for more than is left.
    """
    lines = {line.charge.charge_no: line for line in invoice.lines.select_related("charge")}
    if wanted is None:
        parts = [
            (line, line.quantity - line.returned_quantity, line.amount_fen - line.returned_fen)
            for line in lines.values()
            if line.amount_fen > line.returned_fen
        ]
        if not parts:
            raise Conflict("nothing_left", _("Everything on this bill was returned already."))
        return parts
    seen: set[str] = set()
    parts = []
    for place, given in enumerate(wanted):
        line = lines.get(given.charge_no)
        if line is None or given.charge_no in seen:
            raise BadInput(
                "unknown_line",
                _("This charge is not on the bill, or is named twice."),
                f"lines[{place}].charge_no",
            )
        seen.add(given.charge_no)
        _refuse_part(line, given, place)
        parts.append((line, given.quantity, given.amount_fen))
    return parts


def lines_freed(returned: InvoiceReturn) -> None:
    """What a refused return had reserved may be returned again; the bill is locked."""
    lines = []
    for part in returned.lines.select_related("line"):
        part.line.returned_fen -= part.amount_fen
        part.line.returned_quantity -= part.quantity
        lines.append(part.line)
    InvoiceLine.objects.bulk_update(lines, ["returned_fen", "returned_quantity"])


def line_worth_fen(line: InvoiceLine, quantity: Decimal, rounding: str = ROUND_FLOOR) -> int:
    """What a part of a line is worth now: its share of everything given back so far, less what was.

    Rounded over all returns together, so that many small ones add up to the line and never past it;
    the last one takes the remainder.
    """
    back = line.returned_quantity + quantity
    return share_fen(line.amount_fen, back, line.quantity, rounding) - line.returned_fen


def _refuse_part(line: InvoiceLine, given: ReturnInput, place: int) -> None:
    """Quantity and amount within what is left; the last return of a line takes the remainder."""
    quantity_left = line.quantity - line.returned_quantity
    left_fen = line.amount_fen - line.returned_fen
    if given.quantity > quantity_left:
        raise Conflict(
            "quantity_left",
            _("Only %(left)s of this charge are left to return.")
            % {"left": f"{quantity_left.normalize():f}"},
            f"lines[{place}].quantity",
        )
    most_fen = line_worth_fen(line, given.quantity, ROUND_CEILING)
    if given.quantity == quantity_left:
        if given.amount_fen != left_fen:
            raise Conflict(
                "amount_left",
                _("The last return of a charge takes its remainder: %(left)s.")
                % {"left": format_yuan(left_fen)},
                f"lines[{place}].amount_fen",
            )
    elif given.amount_fen > most_fen:
        raise Conflict(
            "amount_left",
            _("This quantity is worth %(most)s at most.") % {"most": format_yuan(most_fen)},
            f"lines[{place}].amount_fen",
        )
