"""The address of a pay link. It opens the bill, so it is made when it is read and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from billing.models import Invoice, PayLink
from patients.selectors.receivers import guardian_told_id


def pay_link_url(link: PayLink) -> str:
    return f"{settings.PORTAL_URL}/p/{link.token}"


def link_is_of_others(invoice: Invoice) -> bool:
    """Whether the bill's link went to a guardian who is told of the patient's bills no more."""
    link = getattr(invoice, "pay_link", None)  # read with the bill by whoever came by it
    told = link.guardian_id if link is not None else None
    return told is not None and told != guardian_told_id(invoice.patient)


def action_shown(invoice: Invoice, action: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a collect left to show, its address filled in; None once there is no such link."""
    if action is None or action["type"] == "show_code":
        return None if action is None else dict(action)
    link = PayLink.objects.filter(invoice=invoice).first()
    if link is None:
        return None
    return {"type": action["type"], "value": pay_link_url(link), "expires_at": action["expires_at"]}
