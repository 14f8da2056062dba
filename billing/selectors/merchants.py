"""Which merchants may take money now, and which of them a payer can open a payment of."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from billing.channels.base import Capability
from billing.channels.registry import UnknownChannel, channel_get
from billing.models import Merchant
from core import clock


def merchants_open(*, channel: str = "", campus_id: int | None = None) -> QuerySet[Merchant]:
    """Merchants whose institution's agreement is in term (Z1); the campus's own come first."""
    today = clock.today()
    rows = Merchant.objects.filter(
        active=True,
        institution__suspended=False,
        institution__agreement_from__lte=today,
        institution__agreement_until__gte=today,
    )
    if channel:
        rows = rows.filter(channel=channel)
    if campus_id is not None:
        rows = rows.filter(Q(campus=None) | Q(campus=campus_id))
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
