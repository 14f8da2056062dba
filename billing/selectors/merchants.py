"""Which merchants may take money now, and which of them a payer can open a payment of."""

from __future__ import annotations

from django.db.models import QuerySet

from billing.channels.base import Capability
from billing.channels.registry import UnknownChannel, channel_get
from billing.models import Merchant
from billing.models.institution import merchant_is_open
from core import clock


def merchants_open(*, channel: str = "", campus_id: int | None = None) -> QuerySet[Merchant]:
    """Merchants whose institution's agreement is in term (Z1); the campus's own come first."""
    rows = Merchant.objects.filter(merchant_is_open(clock.today(), campus_id))
    if channel:
        rows = rows.filter(channel=channel)
    return rows.order_by("campus_id", "pk")


def merchants_offered(*, campus_id: int, channel: str = "") -> dict[str, Merchant]:
    """The merchant of each channel that makes pay links, in the merchants' order."""
    found: dict[str, Merchant] = {}
    for merchant in merchants_open(channel=channel, campus_id=campus_id).defer("secrets"):
        if channel_can(merchant.channel, Capability.PAY_LINK):
            found.setdefault(merchant.channel, merchant)
    return found


def channel_can(code: str, capability: Capability) -> bool:
    """Whether this channel is set up here and can do this."""
    try:
        return capability in channel_get(code).capabilities
    except UnknownChannel:
        return False
