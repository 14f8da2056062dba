"""The pay link: an offer the patient opens, not a tender.

No order exists at a channel until the patient chooses a way. Choosing commits a number first, then
makes the order; opening the same way again shows the same order while it lives. Another way, of the
same channel or another one, is made only after the open order has ended.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from billing.actions import action_read
from billing.channels.base import OFFERED_MODES, Action, Capability, Mode, Source
from billing.locks import captures_flying_lock, invoice_lock
from billing.models import (
    Invoice,
    Merchant,
    PayLink,
    Payment,
    PaymentTransaction,
    TransactionKind,
)
from billing.offers import Offer
from billing.policy import policy
from billing.selectors.insured import wallet_has
from billing.selectors.merchants import channel_can, merchants_offered
from billing.services.apply import transaction_apply
from billing.services.collecting.captures import capture_look, capture_send
from billing.services.collecting.form_keys import form_repeated, payable_fen
from billing.services.collecting.starting import PayersForm, tender_start
from billing.services.collecting.tenders import Tender
from billing.services.insuring.running import price_refresh
from billing.services.insuring.wallet import wallet_begin, wallet_offer
from core import clock
from core.actors import SYSTEM, Actor
from core.crypto import blind_index
from core.errors import NotFound, NotOffered, Refusal
from patients.selectors.accounts import wallet_subject
from patients.selectors.receivers import guardian_told_id, receivers_mark

PAYER = Actor("patient", "pay_link")
# Inside a wallet's own browser the payer is known to it beforehand.
OF_ONE_PAYER = {Mode.JSAPI: Capability.JSAPI, Mode.MIXED: Capability.MIXED}
RESULT_SHOWN = timedelta(hours=1)


def pay_link_offer(*, invoice: Invoice) -> PayLink:
    """The link of a locked invoice, made or prolonged.

    A link that was over, or went to other receivers, opens nothing again: its message may have been
    forwarded, its phone may be another person's by now. The bill then gets another token.
    """
    now, receivers = clock.now(), receivers_mark(invoice.patient)
    link = PayLink.objects.filter(invoice=invoice).first()
    if link is None:
        link = PayLink(invoice=invoice, created_at=now, expires_at=now)
    if link.expires_at <= now or link.receivers != receivers:
        link.token, link.receivers = secrets.token_urlsafe(24), receivers
    link.guardian_id = guardian_told_id(invoice.patient)
    link.expires_at = now + timedelta(seconds=policy().pay_link_valid_s)
    link.save()
    return link


def pay_link_open(*, token: str) -> Invoice:
    """The invoice of a link. Raises NotFound for a token nobody issued, Refusal when it is over.

    A link that is over shows nothing, whatever became of the bill: it may have been forwarded.
    """
    link = (
        PayLink.objects.filter(token_index=blind_index(token, purpose="pay_link"))
        .select_related("invoice__patient", "invoice__encounter__campus")
        .first()
    )
    # The index knows no capitals; the token does.
    if link is None or not hmac.compare_digest(link.token.encode(), token.encode()):
        raise NotFound("unknown_link", _("This link is not known."))
    if link.expires_at <= clock.now():
        raise Refusal("link_expired", _("This link is over. Please pay at the window."))
    return link.invoice


def pay_link_choose(
    *,
    token: str,
    offer: Offer,
    payer_address: str,
    form_key: str,
    visitor_id: int | None = None,
    return_url: str = "",
) -> Action | None:
    """Make the channel's order for the way the holder of a link chose; see `offer_choose`."""
    return offer_choose(
        invoice=pay_link_open(token=token),
        offer=offer,
        payer_address=payer_address,
        form_key=form_key,
        visitor_id=visitor_id,
        return_url=return_url,
    )


def offer_choose(
    *,
    invoice: Invoice,
    offer: Offer,
    payer_address: str,
    form_key: str,
    payer_id: int | None = None,
    visitor_id: int | None = None,
    return_url: str = "",
) -> Action | None:
    """Make the channel's order for the way the patient chose.

    Returns what to open or scan; None when no order could be made or the bill is not payable any
    more (the result page tells). A page posted twice finds its own payment again. `payer_id` is the
    user who is to be known as the payer; `visitor_id` whoever is signed in where it is pressed,
    whose own wallet is asked where a way needs to know one. Raises NotOffered before anything is
    withdrawn or made.
    """
    merchant, subject = _offered(invoice, offer, visitor_id)
    price_refresh(invoice=invoice, by_phone=offer.mode == Mode.MIXED)
    offer_withdraw(invoice=invoice, but=offer, form_key=form_key, payer_id=payer_id)
    try:
        asked = PayersForm(PAYER, f"pay link {offer}", form_key)
        row, fresh = _begin(invoice.pk, offer, merchant, asked, (payer_id, visitor_id))
    except IntegrityError as error:
        payment = form_repeated(error=error, invoice=invoice, form_key=form_key)
        row, fresh = payment.transactions.latest("pk"), False
    if fresh:
        answer = capture_send(
            row=row,
            invoice=invoice,
            payer_address=payer_address,
            return_url=return_url,
            payer_subject=subject,
        )
        row = transaction_apply(transaction_id=row.pk, answer=answer, source=Source.SEND, by=SYSTEM)
    return _action(row)


def _offered(invoice: Invoice, offer: Offer, visitor_id: int | None) -> tuple[Merchant, str]:
    """Whose way this is, and the visitor's id there if it needs one; NotOffered for any other."""
    campus_id = invoice.encounter.campus_id
    merchant = merchants_offered(campus_id=campus_id, channel=offer.channel).get(offer.channel)
    if merchant is None or offer.mode not in OFFERED_MODES:
        raise _not_offered()
    needed = OF_ONE_PAYER.get(offer.mode)
    if needed is None:
        return merchant, ""
    subject = ""
    if visitor_id is not None and channel_can(offer.channel, needed):
        subject = wallet_subject(user_id=visitor_id, channel=offer.channel, app_id=merchant.app_id)
    if not subject:
        raise _not_offered()
    return merchant, subject


def _not_offered() -> NotOffered:
    return NotOffered("not_offered", _("This way to pay is not offered here."), "way")


def _begin(
    invoice_id: int,
    offer: Offer,
    merchant: Merchant,
    asked: PayersForm,
    who: tuple[int | None, int | None],
) -> tuple[PaymentTransaction, bool]:
    """The live order of this way, or a new one with its number committed."""
    payer_id, visitor_id = who
    with transaction.atomic():
        invoice = invoice_lock(invoice_id)
        by_phone = offer.mode == Mode.MIXED
        if by_phone and not wallet_has(invoice):
            wallet_offer(invoice=invoice, visitor_id=visitor_id, by=PAYER)
        flying = captures_flying_lock(invoice)
        if flying and _is_same(flying[-1].payment, offer, asked.form_key, payer_id):
            return flying[-1], False
        owed_fen = payable_fen(invoice=invoice, flying=flying, by_phone=by_phone)
        row = tender_start(
            invoice=invoice,
            tender=Tender(offer.channel, offer.mode, owed_fen, merchant, payer_id=payer_id),
            asked=asked,
        )
        if by_phone:
            wallet_begin(invoice=invoice, row=row)
        # Who began at the last moment still sees how it ended; what is over stays over.
        shown_until = row.expires_at + RESULT_SHOWN
        open_links = PayLink.objects.filter(invoice=invoice, expires_at__gt=clock.now())
        open_links.filter(expires_at__lt=shown_until).update(expires_at=shown_until)
    return row, True


def _is_same(payment: Payment, offer: Offer | None, form_key: str, payer_id: int | None) -> bool:
    """Whether this open order is what was asked for.

    An order inside a wallet is one payer's alone, so another form gets an order of its own. So does
    another person where a known payer opened it: who pays is told, and gets what comes back.
    """
    if form_key and payment.form_key == form_key:
        return True
    return (
        offer is not None
        and offer.mode not in OF_ONE_PAYER
        and (payment.channel, payment.mode) == (offer.channel, offer.mode)
        and payment.payer_id in (None, payer_id)
    )


def offer_withdraw(
    *,
    invoice: Invoice,
    but: Offer | None = None,
    form_key: str = "",
    payer_id: int | None = None,
) -> None:
    """Another way was opened and not used: end that order before this one is made.

    What a payer never opened some channels do not know, and cannot close. Such an order is given up
    as one that was never executed; whatever it still brings is unexpected money.
    """
    open_rows = PaymentTransaction.objects.filter(
        payment__invoice=invoice,
        kind=TransactionKind.CAPTURE,
        status__in=PaymentTransaction.IN_FLIGHT,
        payment__mode__in=OFFERED_MODES,
    ).select_related("payment__merchant")
    for row in open_rows.order_by("pk"):
        # One passed over is asked for no more, also by the way it was opened in.
        if not (row.is_waited_for and _is_same(row.payment, but, form_key, payer_id)):
            _end(row)


def _end(row: PaymentTransaction) -> None:
    for _ask in range(policy().never_executed_asks):
        answer = capture_look(row=row, end=True)
        row = transaction_apply(
            transaction_id=row.pk, answer=answer, source=Source.QUERY, asked_of=row
        )
        if row.status not in PaymentTransaction.IN_FLIGHT or answer.executed is not False:
            return


def _action(row: PaymentTransaction) -> Action | None:
    return action_read(row.action) if row.is_waited_for else None
