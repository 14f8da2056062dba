"""Whether a bill can go through the mobile-pay centre on the phone that reads it, and how far it
is on that way."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.channels.base import Capability, Mode
from billing.models import CourseStep, InsuredCourse, Invoice, InvoiceStatus
from billing.offers import INSIDE, Device, Offer, Wallet
from billing.page_values import Way
from billing.selectors.insured import phone_priced
from billing.selectors.merchants import channel_can
from insurance.models import ClaimRoute, Institution
from patients.models import IdType, PatientAccess, Relation

ALLOW = "insured"
WINDOW_AND_ONE = 2


def phone_way(
    invoice: Invoice, access: PatientAccess | None, device: Device, wallets: tuple[Wallet, ...]
) -> Way | None:
    """The way of the insured's own phone: the one tap once the centre has priced the bill, before
    that the way to the insurer's permission. Only inside a wallet that knows who reads."""
    channel = INSIDE.get(device, "")
    inside = next((one for one in wallets if one.channel == channel and one.known), None)
    if inside is None or not channel_can(channel, Capability.MIXED):
        return None
    if phone_priced(invoice) and invoice.cash_fen:
        return Way(
            value=str(Offer(channel, Mode.MIXED)),
            icon="shield",
            title=gettext_lazy("WeChat, with insurance"),
            detail=_("One password for both parts"),
            press=gettext_lazy("Pay by WeChat, with insurance"),
        )
    if access is None or phone_place(invoice, access) is None:
        return None
    return Way(
        value=ALLOW,
        icon="shield",
        title=gettext_lazy("Use insurance on this phone"),
        detail=_("You allow it on the insurer's page first"),
        press=gettext_lazy("To the insurer's page"),
        takes=False,
    )


def phone_place(invoice: Invoice, access: PatientAccess) -> Institution | None:
    """Where the bill could go through the centre: the insured's own, with a claim still to settle,
    at a place whose insurer asks on the phone."""
    patient = invoice.patient
    own = access.relation == Relation.SELF and access.may_pay
    known = bool(patient.id_number) and patient.id_type == IdType.ID_CARD
    if not own or not known or invoice.status != InvoiceStatus.ISSUED or invoice.claim_id is None:
        return None
    steps = (CourseStep.PRICE, CourseStep.OFFER)
    course = InsuredCourse.objects.filter(invoice=invoice, route=ClaimRoute.FSI, step__in=steps)
    places = (
        Institution.objects.select_related("campus", "region")
        .filter(campus=invoice.encounter.campus_id, active=True, region__active=True)
        .exclude(campus__institution_code="")
        .exclude(region__mobile_url="")
        .exclude(region__authorise_url="")
    )
    return places.first() if course.exists() else None


def with_phone(way: Way | None, ways: tuple[Way, ...], most: int) -> tuple[Way, ...]:
    """The phone's way before the others, of which the window is always the last."""
    if way is None:
        return ways
    kept = ways if len(ways) < most else (*ways[: most - WINDOW_AND_ONE], ways[-1])
    return (way, *kept)
