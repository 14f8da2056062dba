"""Where the pay pages meet the services: one flow, opened by a link's token or by a signed-in user.

A `PayRight` is the right by which one bill is open, and where its pages are. Reading raises
`core.errors.NotFound` for a bill that is not theirs or a token nobody issued, and a `Refusal` with
code "link_expired" for a link that is over; any other refusal on choosing means that no order was
made: the bill then says why, or shows its result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, Unpack

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billing.channels.base import Action
from billing.models import Invoice
from billing.offers import Device, Offer, Wallet
from billing.page_values import Hospital, InvoicePage, NoPhone, Way
from billing.selectors.pay_page import hospital_of, invoice_page
from billing.selectors.pay_ways import WAYS_MAX, pay_ways, wallets_open
from billing.selectors.phone_ways import PhonePlace, phone_place, phone_way, with_phone
from billing.selectors.portal_bills import bill_of
from billing.services.collecting.pay_choices import agreement_choose
from billing.services.collecting.pay_links import (
    PAYER,
    offer_choose,
    pay_link_choose,
    pay_link_open,
)
from billing.services.insuring.confirming import covered_confirm
from billing.tasks import going_on
from core.errors import Conflict, NotFound
from core.models import User
from patients.actors import patient_actor
from patients.models import Campus, PatientAccess
from patients.selectors import access_to


@dataclass(frozen=True, slots=True)
class PayRight:
    """One bill: by its link (`token`), or by its number for a signed-in user (`user`).

    A link may be read by somebody who is signed in (`visitor`); it gives them no more right. What
    they may do by their own binding, their own agreement, is offered there too; nobody else's is.
    """

    token: str = ""
    invoice_id: int = 0
    user: User | None = None
    visitor: User | None = None

    @property
    def own(self) -> bool:
        return self.user is not None

    @property
    def visitor_id(self) -> int | None:
        who = self.user or self.visitor
        return None if who is None else who.pk

    @property
    def show(self) -> str:
        return self._page("show")

    @property
    def pay(self) -> str:
        return self._page("pay")

    @property
    def code(self) -> str:
        return self._page("code")

    @property
    def result(self) -> str:
        return self._page("result")

    @property
    def window(self) -> str:
        return self._page("window")

    @property
    def insured(self) -> str:
        return self._page("insured") if self.own else ""

    @property
    def receipt(self) -> str:
        return self._page("receipt") if self.own else ""

    def _page(self, name: str) -> str:
        if self.own:
            return reverse(f"bill_{name}", args=[self.invoice_id])
        return reverse(f"invoice_{name}", args=[self.token])


@dataclass(frozen=True, slots=True)
class Opened:
    """A bill as it stands now; by a link nobody's binding is known."""

    page: InvoicePage
    invoice: Invoice | None = None
    access: PatientAccess | None = None


class Asked(TypedDict):
    """What is handed on of a press, by whatever right."""

    offer: Offer
    payer_address: str
    form_key: str
    return_url: str


@dataclass(frozen=True, slots=True)
class Press:
    """A press of the form: the way it names, from where, and where the payer comes back to."""

    offer: Offer | None
    payer_address: str
    form_key: str
    return_url: str = ""

    def asked(self, offer: Offer) -> Asked:
        return {
            "offer": offer,
            "payer_address": self.payer_address,
            "form_key": self.form_key,
            "return_url": self.return_url,
        }


def hospital() -> Hospital:
    """The name and the window for pages without a bill."""
    campus = Campus.objects.order_by("pk").first()
    return Hospital("", NoPhone("")) if campus is None else hospital_of(campus)


def opened(right: PayRight) -> Opened:
    """Use the right and tell how the bill stands."""
    if right.user is None:
        return Opened(page_of(token=right.token))
    invoice, access = bill_of(user=right.user, invoice_id=right.invoice_id)
    return Opened(invoice_page(invoice, access=access), invoice, access)


def page_of(*, token: str) -> InvoicePage:
    """The page of a link."""
    return invoice_page(pay_link_open(token=token))


def ways_of(right: PayRight, found: Opened, device: Device) -> tuple[Way, ...]:
    wallets = wallets_of(right, found, device)
    if right.visitor is None:
        ways = pay_ways(found.page, device, wallets, invoice=found.invoice, access=found.access)
        if found.invoice is None:
            return ways
        return with_phone(phone_way(found.invoice, found.access, device, wallets), ways, WAYS_MAX)
    invoice, access = visitors_bill(right, right.visitor)
    return pay_ways(found.page, device, wallets, invoice=invoice, access=access, own_only=True)


def phone_place_of(right: PayRight) -> PhonePlace | None:
    """Where its owner may take this bill to the mobile-pay centre; None where there is no way."""
    if right.user is None:
        return None
    return phone_place(*bill_of(user=right.user, invoice_id=right.invoice_id, need="pay"))


def visitors_bill(right: PayRight, visitor: User) -> tuple[Invoice, PatientAccess | None]:
    """The bill of a link with the binding by which its signed-in reader may pay it, if any."""
    invoice = pay_link_open(token=right.token)
    try:
        return invoice, access_to(user=visitor, patient_id=invoice.patient_id, need="pay")
    except NotFound:
        return invoice, None


def wallets_of(right: PayRight, found: Opened, device: Device) -> tuple[Wallet, ...]:
    """The channels this bill can be paid by on this device."""
    invoice = found.invoice or pay_link_open(token=right.token)
    return wallets_open(invoice=invoice, visitor_id=right.visitor_id, device=device)


def chosen(right: PayRight, *, press: Press) -> Action | None:
    """Make the channel's order. Without an offer nothing is due, the bill is only confirmed.

    Returns what the payer must do now; None = nothing, the result page tells.
    """
    if press.offer is None:
        confirmed(right)
        return None
    if right.user is None:
        return way_choose(
            token=right.token, visitor_id=right.visitor_id, **press.asked(press.offer)
        )
    invoice, _access = bill_of(user=right.user, invoice_id=right.invoice_id, need="pay")
    with going_on(invoice.pk):
        return offer_choose(
            invoice=invoice,
            payer_id=right.user.pk,
            visitor_id=right.user.pk,
            **press.asked(press.offer),
        )


def confirmed(right: PayRight) -> None:
    """Nothing is to pay: the insurer settles it. A link's holder is nobody known."""
    if right.user is None:
        invoice, by = pay_link_open(token=right.token), PAYER
    else:
        invoice, _access = bill_of(user=right.user, invoice_id=right.invoice_id, need="pay")
        by = patient_actor(right.user)
    with going_on(invoice.pk):
        covered_confirm(invoice=invoice, by=by)


def way_choose(*, token: str, visitor_id: int | None, **asked: Unpack[Asked]) -> Action | None:
    """The order of a link's bill."""
    with going_on(pay_link_open(token=token).pk):
        return pay_link_choose(token=token, visitor_id=visitor_id, **asked)


def deducted(right: PayRight, *, agreement_id: int, payer_address: str, form_key: str) -> None:
    """Take the bill from an agreement once; only a signed-in user has any to pick."""
    who = right.user or right.visitor
    access: PatientAccess | None = None
    if right.user is not None:
        invoice, access = bill_of(user=right.user, invoice_id=right.invoice_id, need="pay")
    elif right.visitor is not None:
        invoice, access = visitors_bill(right, right.visitor)
    if who is None or access is None:
        raise Conflict("not_payable", _("This way to pay is not offered here."), "way")
    with going_on(invoice.pk):
        agreement_choose(
            invoice=invoice,
            access=access,
            agreement_id=agreement_id,
            payer_address=payer_address,
            form_key=form_key,
            by=patient_actor(who),
            own_only=right.user is None,
        )
