"""Where the pay pages meet the services: one flow, opened by a link's token or by a signed-in user.

A `Door` is the right by which one bill is open, and where its pages are. Reading raises
`core.errors.NotFound` for a bill that is not theirs or a token nobody issued, and a `Refusal` with
code "link_expired" for a link that is over; any other refusal on choosing means that no order was
made: the bill then says why, or shows its result.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billing.channels.base import Action, Mode
from billing.models import Invoice
from billing.pages import Device, Hospital, InvoicePage, NoPhone, Way
from billing.selectors.pay_page import hospital_of, invoice_page
from billing.selectors.pay_ways import pay_ways
from billing.selectors.portal_bills import bill_of
from billing.services.pay_choices import agreement_choose
from billing.services.pay_links import offer_choose, pay_link_choose, pay_link_open
from core.actors import Actor
from core.errors import Conflict
from core.models import User
from patients.models import Campus, PatientAccess


@dataclass(frozen=True, slots=True)
class Door:
    """One bill: by its link (`token`), or by its number for a signed-in user (`user`)."""

    token: str = ""
    invoice_id: int = 0
    user: User | None = None
    payer: Actor | None = None

    @property
    def own(self) -> bool:
        return self.user is not None

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


def ways_of(found: Opened, device: Device) -> tuple[Way, ...]:
    return pay_ways(found.page, device, invoice=found.invoice, access=found.access)


def chosen(
    door: Door, *, mode: Mode | None, payer_address: str, idempotency_key: str
) -> Action | None:
    """Make the channel's order. `mode` None = nothing is due, the bill is only confirmed.

    Returns what the payer must do now; None = nothing, the result page tells.
    """
    if door.user is None:
        return way_choose(
            token=door.token,
            mode=mode,
            payer_address=payer_address,
            idempotency_key=idempotency_key,
        )
    invoice, _access = bill_of(user=door.user, invoice_id=door.invoice_id, need="pay")
    return offer_choose(
        invoice=invoice,
        mode=_real(mode),
        payer_address=payer_address,
        idempotency_key=idempotency_key,
        payer_id=door.user.pk,
    )


def deducted(door: Door, *, agreement_id: int, payer_address: str, idempotency_key: str) -> None:
    """Take the bill from an agreement once; only a signed-in user has any to pick."""
    if door.user is None or door.payer is None:
        raise Conflict("not_payable", _("This bill is not to be paid now."))
    invoice, access = bill_of(user=door.user, invoice_id=door.invoice_id, need="pay")
    agreement_choose(
        invoice=invoice,
        access=access,
        agreement_id=agreement_id,
        payer_address=payer_address,
        idempotency_key=idempotency_key,
        by=door.payer,
    )


def way_choose(
    *, token: str, mode: Mode | None, payer_address: str, idempotency_key: str
) -> Action | None:
    """The order of a link's bill."""
    return pay_link_choose(
        token=token,
        mode=_real(mode),
        payer_address=payer_address,
        idempotency_key=idempotency_key,
    )


def _real(mode: Mode | None) -> Mode:
    if mode is None:
        # A bill without an own part is settled by the insurer's answer, not by a press.
        raise Conflict("not_payable", _("This bill is not to be paid now."))
    return mode
