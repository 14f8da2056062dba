"""What every choice of a payer shares: a page's form counts once, and only a free bill is begun."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from billing.locks import collect_lock
from billing.models import Invoice, InvoiceStatus, Payment, PaymentTransaction
from billing.selectors.insured import phone_priced
from billing.selectors.payments import cash_due_fen, is_priced
from core.errors import Conflict
from core.idempotency import NumberReused
from core.integrity import constraint_name


def in_progress() -> Conflict:
    return Conflict("in_progress", _("A payment is in progress. Do not pay again."))


def price_over() -> Conflict:
    return Conflict(
        "price_over", _("What the insurance pays is asked for again. Look again in a moment.")
    )


def form_payment(*, invoice: Invoice, form_key: str) -> Payment | None:
    """The payment this form made before, if any. Raises NumberReused for another bill's form.

    The key comes from outside; it must never lead a payer to somebody else's order.
    """
    known = Payment.objects.filter(form_key=form_key).first()
    if known is not None and known.invoice_id != invoice.pk:
        raise NumberReused(
            "number_reused", _("This number was used with other content."), "form_key"
        )
    return known


def form_repeated(*, error: IntegrityError, invoice: Invoice, form_key: str) -> Payment:
    """The payment because of which a new one was refused: the form was posted twice at once.

    Raises NumberReused as `form_payment`, and the error itself when it is about something else.
    """
    if "form_key" not in constraint_name(error):
        raise error
    known = form_payment(invoice=invoice, form_key=form_key)
    if known is None:
        raise error
    return known


def payable_fen(
    *, invoice: Invoice, flying: Sequence[PaymentTransaction], by_phone: bool = False
) -> int:
    """What a payer may begin to pay of a locked bill now, never nothing; Conflict when it is not
    theirs to pay, its price was made for the other route, or `flying`, its captures that are waited
    for, stand in the way."""
    if flying:
        raise in_progress()
    if not is_priced(invoice) or phone_priced(invoice) != by_phone:
        raise price_over()
    owed_fen = cash_due_fen(invoice) if invoice.status == InvoiceStatus.ISSUED else 0
    if owed_fen <= 0 or collect_lock(invoice) is not None:
        raise Conflict("not_payable", _("This bill is not to be paid now."))
    return owed_fen
