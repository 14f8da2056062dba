"""Where the pay pages meet the services: one flow, opened by a link's token or by a signed-in user.

A `Door` is the right by which one bill is open, and where its pages are. Reading raises
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
from billing.pages import Hospital, InvoicePage, NoPhone, Way
from billing.selectors.pay_page import hospital_of, invoice_page
from billing.selectors.pay_ways import pay_ways, wallets_open
from billing.selectors.portal_bills import bill_of
from billing.services.collecting.pay_choices import agreement_choose
from billing.services.collecting.pay_links import offer_choose, pay_link_choose, pay_link_open
from core.errors import Conflict, NotFound
from core.models import User
from patients.actors import patient_actor
from patients.models import Campus, PatientAccess
from patients.selectors import access_to


@dataclass(frozen=True, slots=True)
class Door:
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
    def receipt(self) -> str:
        return self._page("receipt") if self.own else ""

    def _page(self, name: str) -> str:
        if self.own:
            return reverse(f"bill_{name}", args=[self.invoice_id])
        return reverse(f"invoice_{name}", args=[self.token])


@dataclass(frozen=True, slots=True)
class Opened:
    """A bill behind its door, as it stands now; by a link nobody's binding is known."""

    page: InvoicePage
    invoice: Invoice | None = None
    access: PatientAccess | None = None


class Asked(TypedDict):
    """What every door hands on of a press."""

    offer: Offer
    payer_address: str
    idempotency_key: str
    return_url: str


@dataclass(frozen=True, slots=True)
class Press:
    """A press of the form: the way it names, from where, and where the payer comes back to."""

    offer: Offer | None
    payer_address: str
    idempotency_key: str
    return_url: str = ""

    def asked(self, offer: Offer) -> Asked:
        return {
            "offer": offer,
            "payer_address": self.payer_address,
            "idempotency_key": self.idempotency_key,
            "return_url": self.return_url,
        }


def hospital() -> Hospital:
    """The name and the window for pages without a bill."""
    campus = Campus.objects.order_by("pk").first()
    return Hospital("", NoPhone("")) if campus is None else hospital_of(campus)


def opened(door: Door) -> Opened:
    """Open the door and tell how the bill stands."""
    if door.user is None:
        return Opened(page_of(token=door.token))
    invoice, access = bill_of(user=door.user, invoice_id=door.invoice_id)
    return Opened(invoice_page(invoice, access=access), invoice, access)


def page_of(*, token: str) -> InvoicePage:
    """The page of a link."""
    return invoice_page(pay_link_open(token=token))


def ways_of(door: Door, found: Opened, device: Device) -> tuple[Way, ...]:
    wallets = wallets_of(door, found, device)
    if door.visitor is None:
        return pay_ways(found.page, device, wallets, invoice=found.invoice, access=found.access)
    invoice, access = visitors_bill(door, door.visitor)
    return pay_ways(found.page, device, wallets, invoice=invoice, access=access, own_only=True)


def visitors_bill(door: Door, visitor: User) -> tuple[Invoice, PatientAccess | None]:
    """The bill of a link with the binding by which its signed-in reader may pay it, if any."""
    invoice = pay_link_open(token=door.token)
    try:
        return invoice, access_to(user=visitor, patient_id=invoice.patient_id, need="pay")
    except NotFound:
        return invoice, None


def wallets_of(door: Door, found: Opened, device: Device) -> tuple[Wallet, ...]:
    """The channels this bill can be paid by on this device."""
    invoice = found.invoice or pay_link_open(token=door.token)
    return wallets_open(invoice=invoice, visitor_id=door.visitor_id, device=device)


def chosen(door: Door, *, press: Press) -> Action | None:
    """Make the channel's order. Without an offer nothing is due, the bill is only confirmed.

    Returns what the payer must do now; None = nothing, the result page tells.
    """
    if press.offer is None:
        # A bill without an own part is settled by the insurer's answer, not by a press.
        raise Conflict("not_payable", _("This bill is not to be paid now."))
    if door.user is None:
        return way_choose(token=door.token, visitor_id=door.visitor_id, **press.asked(press.offer))
    invoice, _access = bill_of(user=door.user, invoice_id=door.invoice_id, need="pay")
    return offer_choose(
        invoice=invoice,
        payer_id=door.user.pk,
        visitor_id=door.user.pk,
        **press.asked(press.offer),
    )


def way_choose(*, token: str, visitor_id: int | None, **asked: Unpack[Asked]) -> Action | None:
    """The order of a link's bill."""
    return pay_link_choose(token=token, visitor_id=visitor_id, **asked)


def deducted(door: Door, *, agreement_id: int, payer_address: str, idempotency_key: str) -> None:
    """Take the bill from an agreement once; only a signed-in user has any to pick."""
    who = door.user or door.visitor
    access: PatientAccess | None = None
    if door.user is not None:
        invoice, access = bill_of(user=door.user, invoice_id=door.invoice_id, need="pay")
    elif door.visitor is not None:
        invoice, access = visitors_bill(door, door.visitor)
    if who is None or access is None:
        raise Conflict("not_payable", _("This way to pay is not offered here."), "way")
    agreement_choose(
        invoice=invoice,
        access=access,
        agreement_id=agreement_id,
        payer_address=payer_address,
        idempotency_key=idempotency_key,
        by=patient_actor(who),
        own_only=door.user is None,
    )
