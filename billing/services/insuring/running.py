"""Who was told to ask the insurer does so: outside of any transaction, one call of the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.locks import collect_lock, invoice_lock
from billing.models import CourseStep, Invoice, InvoiceStatus
from billing.selectors.insured import phone_priced
from billing.selectors.payments import is_priced
from billing.services.insuring.codes import code_read
from billing.services.insuring.course import Ask, insured_ask
from billing.services.insuring.opening import course_of, course_set
from billing.services.insuring.pricing import price_run
from billing.services.insuring.reversing import reverse_run
from billing.services.insuring.settling import settle_run
from core.actors import SYSTEM
from core.errors import Conflict
from core.failpoints import failpoint
from core.states import transition

_RUN: Mapping[CourseStep, Callable[[Ask], bool]] = MappingProxyType({
    CourseStep.READ: code_read,
    CourseStep.PRICE: price_run,
    CourseStep.SETTLE: settle_run,
    CourseStep.REVERSE: reverse_run,
})  # fmt: skip


def ask_run(ask: Ask) -> bool:
    """Ask, write what was heard, and say whether the bill has a next step now."""
    failpoint("insured.before_ask")
    goes_on = _RUN[ask.step](ask)
    failpoint("insured.after_ask")
    return goes_on


def price_refresh(*, invoice: Invoice, by_phone: bool = False) -> None:
    """Ask the insurer anew where a price ran out, before a payer's own page begins a tender; a
    price made for the phone is good there alone, and is left for every other way.

    Raises Conflict when the own part is another one now: the payer looks at it first. Not inside a
    transaction.
    """
    leaves = not by_phone and phone_priced(invoice)
    if is_priced(invoice) and not leaves:
        return
    ask = _price_ask(invoice.pk, leaves=leaves)
    while ask is not None and ask_run(ask):
        ask = _price_ask(invoice.pk)
    after = Invoice.objects.get(pk=invoice.pk)
    if is_priced(after) and after.cash_fen != invoice.cash_fen:
        raise Conflict("amount_changed", _("The own part has changed. Look at it before you pay."))


def _price_ask(invoice_id: int, *, leaves: bool = False) -> Ask | None:
    """The trial of a bill that nobody collects; None when something else is under way."""
    with transaction.atomic():
        invoice = invoice_lock(invoice_id)
        waiting = (InvoiceStatus.ISSUED, InvoiceStatus.PRICING)
        leaves = leaves and phone_priced(invoice)
        if is_priced(invoice) and not leaves:
            return None
        if invoice.status not in waiting or collect_lock(invoice):
            return None
        if invoice.status == InvoiceStatus.ISSUED:
            course_set(course_of(invoice), CourseStep.PRICE)
            transition(invoice, InvoiceStatus.PRICING, by=SYSTEM, reason="price ran out")
        ask = insured_ask(invoice, None)
        if ask is None or ask.step != CourseStep.PRICE:
            return None
        return replace(ask, leaves=leaves)
