"""A way a signed-in person picks for one bill: an agreement, once, instead of the chain."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from billing.channels.base import Source
from billing.locks import agreements_lock, captures_flying_lock, invoice_lock
from billing.models import Agreement, Invoice, PaymentTransaction
from billing.selectors.pay_ways import agreement_is_offered
from billing.services.apply import transaction_apply
from billing.services.collecting.captures import capture_send
from billing.services.collecting.form_keys import (
    form_payment,
    form_repeated,
    payable_fen,
)
from billing.services.collecting.pay_links import offer_withdraw
from billing.services.collecting.starting import PayersForm, tender_start
from billing.services.collecting.tenders import agreement_allows, agreement_tender
from billing.services.insuring.running import price_refresh
from core import clock
from core.actors import SYSTEM, Actor
from core.errors import NotOffered
from patients.models import PatientAccess


def agreement_choose(
    *,
    invoice: Invoice,
    access: PatientAccess,
    agreement_id: int,
    payer_address: str,
    form_key: str,
    by: Actor,
    own_only: bool = False,
) -> None:
    """Deduct the bill once by this agreement; the result page tells how it ended.

    Only the user's own agreement, or one that pays for the user's own person, can be picked; with
    `own_only` the first alone.
    Raises Conflict (paid, running, collected by the HIS) and NotOffered (not this one, or over its
    limit); a form posted twice finds its own payment and does nothing.
    """
    if form_payment(invoice=invoice, form_key=form_key) is not None:
        return
    price_refresh(invoice=invoice)
    offer_withdraw(invoice=invoice)
    try:
        picked = partial(_picked, access=access, agreement_id=agreement_id, own_only=own_only)
        row = _begin(invoice.pk, picked, form_key, by)
    except IntegrityError as error:
        # Used in this very moment, on another bill: this one is under our lock.
        form_repeated(error=error, invoice=invoice, form_key=form_key)
        return
    answer = capture_send(row=row, invoice=invoice, payer_address=payer_address)
    transaction_apply(transaction_id=row.pk, answer=answer, source=Source.SEND, by=SYSTEM)


def _begin(
    invoice_id: int,
    picked: Callable[[Invoice, int], Agreement],
    form_key: str,
    by: Actor,
) -> PaymentTransaction:
    """Under the bill's lock: nothing else runs, and the limit still admits it."""
    with transaction.atomic():
        invoice = invoice_lock(invoice_id)
        owed_fen = payable_fen(invoice=invoice, flying=captures_flying_lock(invoice))
        return tender_start(
            invoice=invoice,
            tender=agreement_tender(picked(invoice, owed_fen), owed_fen),
            asked=PayersForm(by, "agreement picked", form_key),
        )


def _picked(
    invoice: Invoice, owed_fen: int, *, access: PatientAccess, agreement_id: int, own_only: bool
) -> Agreement:
    """The agreement, locked, if it may pay this bill now and this user may pick it."""
    found = [row for row in agreements_lock(invoice) if row.pk == agreement_id]
    if not found or not agreement_is_offered(found[0], access, own_only=own_only):
        raise NotOffered("not_offered", _("This way to pay is not offered here."), "way")
    used = found[0].used_fen, found[0].used_times
    if not agreement_allows(found[0], owed_fen, used, clock.now()):
        raise NotOffered(
            "over_limit", _("The limits of this deduction do not reach. Choose another way."), "way"
        )
    return found[0]
