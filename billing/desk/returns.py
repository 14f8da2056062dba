"""The return form: quantities are typed, amounts computed by us and shown before it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing.models import Invoice, InvoiceLine
from billing.selectors.payments import captures_cut
from billing.services.refunding.return_lines import line_worth_fen
from billing.words import way_text

REASON_LENGTH_MAX = 200
PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to change, with the field to jump to."""

    text: str
    field: str


@dataclass(slots=True)
class LineChoice:
    """One line of the bill with what was typed beside it."""

    line: InvoiceLine
    typed: str = ""
    quantity: Decimal | None = None
    amount_fen: int = 0
    fault: str = ""

    @property
    def left(self) -> Decimal:
        return self.line.quantity - self.line.returned_quantity

    @property
    def left_fen(self) -> int:
        return self.line.amount_fen - self.line.returned_fen

    @property
    def field(self) -> str:
        return f"quantity-{self.line.pk}"


@dataclass(slots=True)
class ReturnForm:
    """What the clerk typed, checked; `faults` is empty when it may be shown for confirmation."""

    choices: list[LineChoice]
    reason: str = ""
    faults: Sequence[Fault] = ()

    @property
    def chosen(self) -> list[LineChoice]:
        return [choice for choice in self.choices if choice.quantity is not None]

    @property
    def amount_fen(self) -> int:
        return sum(choice.amount_fen for choice in self.chosen)


def return_form(invoice: Invoice) -> ReturnForm:
    """The lines of which something is left."""
    lines = invoice.lines.select_related("charge").order_by("pk")
    return ReturnForm([LineChoice(line) for line in lines if line.amount_fen > line.returned_fen])


def return_form_read(form: ReturnForm, typed: Mapping[str, str]) -> ReturnForm:
    """Read quantities and reason; every fault is named, nothing is guessed."""
    faults: list[Fault] = []
    everything = typed.get("take") == "all"
    for choice in form.choices:
        quantity = typed.get(choice.field, "").strip()[:32]
        choice.typed = format(choice.left.normalize(), "f") if everything else quantity
        if not choice.typed:
            continue
        _choose(choice)
        if choice.fault:
            text = choice.line.charge.item_name + _(": ") + choice.fault
            faults.append(Fault(text, choice.field))
    form.reason = typed.get("reason", "").strip()
    if not form.chosen and not faults:
        faults.append(Fault(_("Enter a quantity for at least one charge."), _first_field(form)))
    if not form.reason:
        faults.append(Fault(_("Say why it is returned."), "reason"))
    elif len(form.reason) > REASON_LENGTH_MAX or not form.reason.isprintable():
        faults.append(Fault(_("At most 200 characters, in one line."), "reason"))
    form.faults = faults
    return form


def _first_field(form: ReturnForm) -> str:
    return form.choices[0].field if form.choices else "reason"


def _choose(choice: LineChoice) -> None:
    quantity = _quantity(choice.typed)
    if quantity is None:
        choice.fault = _("Enter a quantity above zero with at most four decimals.")
    elif quantity > choice.left:
        left = format(choice.left.normalize(), "f")
        choice.fault = _("Only %(left)s of this charge are left to return.") % {"left": left}
    else:
        amount_fen = line_worth_fen(choice.line, quantity)
        if amount_fen <= 0:
            choice.fault = _("This quantity is worth less than one fen.")
        else:
            choice.quantity, choice.amount_fen = quantity, amount_fen


def _quantity(text: str) -> Decimal | None:
    plain = text.translate(str.maketrans("０１２３４５６７８９．", "0123456789."))
    if not plain.replace(".", "", 1).isdecimal() or not plain.isascii():
        return None
    try:
        quantity = Decimal(plain)
        exact = quantity == quantity.quantize(PLACES)
    except InvalidOperation:
        return None
    return quantity if exact and quantity > 0 else None


def return_routes(invoice: Invoice, amount_fen: int) -> list[tuple[str | Promise, int]]:
    """By which ways the money of an uninsured bill will go back, newest first."""
    return [
        (way_text(row.payment.channel, row.payment.mode), part_fen)
        for row, part_fen in captures_cut(invoice, amount_fen)
    ]
