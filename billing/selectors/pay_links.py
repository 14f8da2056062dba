"""The address of a pay link. It opens the bill, so it is made when it is read and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from billing.models import Invoice, PayLink
from patients.selectors.receivers import receivers_mark


def pay_link_url(link: PayLink) -> str:
    return f"{settings.PORTAL_URL}/p/{link.token}"


def link_is_of_others(invoice: Invoice) -> bool:
    """Whether the bill's link went to others than are told of it today: of who has or had a
    guardian, for theirs may have changed, and at 18 is nobody any more."""
    if invoice.patient.guardian_id is None:
        return False
    links = PayLink.objects.filter(invoice=invoice).exclude(receivers="")
    return links.exclude(receivers=receivers_mark(invoice.patient)).exists()


def action_shown(invoice: Invoice, action: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a collect left to show, its address filled in; None once there is no such link."""
    if action is None or action["type"] == "show_code":
        return None if action is None else dict(action)
    link = PayLink.objects.filter(invoice=invoice).first()
    if link is None:
        return None
    return {"type": action["type"], "value": pay_link_url(link), "expires_at": action["expires_at"]}
