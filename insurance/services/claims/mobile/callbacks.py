"""6302: the centre says how an order ended. It only rings: the order is asked about at once, and
where its claim waits for nothing any more, what does not fit is shown to a person.

What cannot be verified is believed in nothing and kept in the trail; an order nobody knows here is
not accepted, so that the centre tells it again: it may have come before our own commit.
"""

from __future__ import annotations

from django.db import transaction

from core import audit, clock
from core.actors import SYSTEM
from insurance.gateway import gm
from insurance.gateway.base import GatewayFault
from insurance.gateway.mobile.results import callback_read, callback_reply
from insurance.locks import claim_lock
from insurance.models import Claim, Institution, MobileOrder
from insurance.selectors import region_profile
from insurance.services.claims.mobile.watching import order_fits, order_watch
from insurance.services.claims.speaking import fields_write

REFUSED_PER_ADDRESS, REFUSED_PER_MINUTE = 5, 60


def centre_told(*, institution_code: str, body: bytes, address: str) -> bytes | None:
    """What the centre reads back; None where no such place is known."""
    place = (
        Institution.objects.select_related("region")
        .filter(campus__institution_code=institution_code)
        .exclude(region__mobile_url="")
        .first()
    )
    if place is None:
        return None
    try:
        told = callback_read(body, region_profile(place.region))
    except (gm.SignatureRefused, gm.CipherRefused, GatewayFault) as fault:
        audit.record_limited(
            by=SYSTEM,
            action="notice_refused",
            subject="channel",
            subject_id=f"centre/{institution_code}"[:64],
            detail={"why": str(fault)[:200], "bytes": len(body)},
            address=address,
            per_address=REFUSED_PER_ADDRESS,
            per_minute=REFUSED_PER_MINUTE,
        )
        return callback_reply(accepted=False, message="refused")
    orders = MobileOrder.objects.select_related("claim__patient")
    order = orders.filter(pay_order_no=told.pay_order_no, claim__institution=place).first()
    if order is None:
        return callback_reply(accepted=False, message="no order")
    with transaction.atomic():
        claim = claim_lock(order.claim_id)
        if claim.status in Claim.IN_DOUBT:
            fields_write(claim, due_at=clock.now())
    if claim.status not in Claim.IN_DOUBT and not order_fits(claim, told):
        order_watch(claim=order.claim, order=order, told=told)
    return callback_reply(accepted=True, message="OK")
