"""Where the pay pages meet the services: read the page of a link, choose a way to pay.

Views call these three functions only. They raise `core.errors.NotFound` for a token nobody issued
and a `Refusal` with code "link_expired" for one that is over; any other
refusal on choosing means that no order was made: the bill then says why, or shows its result.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from billing.channels.base import Action, Mode
from billing.pages import Hospital, InvoicePage, NoPhone
from billing.selectors.pay_page import hospital_of, invoice_page
from billing.services.pay_links import pay_link_choose, pay_link_open
from core.errors import Conflict
from patients.models import Campus


def hospital() -> Hospital:
    """The name and the window for pages without a bill."""
    campus = Campus.objects.order_by("pk").first()
    return Hospital("", NoPhone("")) if campus is None else hospital_of(campus)


def page_of(*, token: str) -> InvoicePage:
    """Open the link and tell how the bill stands."""
    return invoice_page(pay_link_open(token=token))


def way_choose(
    *, token: str, mode: Mode | None, payer_address: str, idempotency_key: str
) -> Action | None:
    """Make the channel's order. `mode` None = nothing is due, the bill is only confirmed.

    Returns what the payer must do now; None = nothing, the result page tells.
    """
    if mode is None:
        # A bill without an own part is settled by the insurer's answer, not by a press.
        raise Conflict("not_payable", _("This bill is not to be paid now."))
    return pay_link_choose(
        token=token, mode=mode, payer_address=payer_address, idempotency_key=idempotency_key
    )
