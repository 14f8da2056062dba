"""Whether a bill can go through the mobile-pay centre on the phone that reads it, and how far it
is on that way."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing.channels.base import Capability, Mode
from billing.models import CourseStep, InsuredCourse, Invoice, InvoiceStatus
from billing.offers import INSIDE, Device, Offer, Wallet
from billing.page_values import Way
from billing.selectors.insured import phone_allowed_by, phone_priced
from billing.selectors.merchants import channel_can
from insurance.models import ClaimRoute, Institution
from patients.models import IdType, Patient, PatientAccess, Relation

ALLOW = "insured"
WINDOW_AND_ONE = 2


@dataclass(frozen=True, slots=True)
class PhonePlace:
    """Where a bill can go through the centre, and the guardian who allows it in a child's stead."""

    institution: Institution
    payer: Patient | None = None


def phone_way(
    invoice: Invoice, access: PatientAccess | None, device: Device, wallets: tuple[Wallet, ...]
) -> Way | None:
    """The way of the payer's own phone: the one tap once the centre has priced the bill for who
    reads, before that the way to the insurer's permission. Only inside a wallet that knows them."""
    channel = INSIDE.get(device, "")
    inside = next((one for one in wallets if one.channel == channel and one.known), None)
    if inside is None or access is None or not channel_can(channel, Capability.MIXED):
        return None
    if phone_priced(invoice):
        theirs = invoice.cash_fen and phone_allowed_by(invoice, access.user_id)
        return _password_way(channel) if theirs else None
    place = phone_place(invoice, access)
    return None if place is None else _allow_way(place)


def _password_way(channel: str) -> Way:
    return Way(
        value=str(Offer(channel, Mode.MIXED)),
        icon="shield",
        title=gettext_lazy("WeChat, with insurance"),
        detail=_("One password for both parts"),
        press=gettext_lazy("Pay by WeChat, with insurance"),
    )


def _allow_way(place: PhonePlace) -> Way:
    detail = _("You allow it on the insurer's page first")
    if place.payer is not None:
        detail = _("You allow it for the child; your insurance account pays if it may")
    return Way(
        value=ALLOW,
        icon="shield",
        title=gettext_lazy("Use insurance on this phone"),
        detail=detail,
        press=gettext_lazy("To the insurer's page"),
        takes=False,
    )


def phone_place(invoice: Invoice, access: PatientAccess) -> PhonePlace | None:
    """Where the bill could go through the centre: the insured's own or their child's, with a claim
    still to settle, at a place whose insurer asks on the phone."""
    begun = invoice.status == InvoiceStatus.ISSUED and invoice.claim_id is not None
    if not begun or not _known(invoice.patient) or not access.may_pay:
        return None
    payer = guardian_of(access) if access.relation == Relation.CHILD else None
    if access.relation != Relation.SELF and (payer is None or not _known(payer)):
        return None
    steps = (CourseStep.PRICE, CourseStep.OFFER)
    course = InsuredCourse.objects.filter(invoice=invoice, route=ClaimRoute.FSI, step__in=steps)
    if not course.exists():
        return None
    places = (
        Institution.objects.select_related("campus", "region")
        .filter(campus=invoice.encounter.campus_id, active=True, region__active=True)
        .exclude(campus__institution_code="")
        .exclude(region__mobile_url="")
        .exclude(region__authorise_url="")
    )
    found = places.first()
    return None if found is None else PhonePlace(found, payer)


def guardian_of(access: PatientAccess) -> Patient | None:
    """The person who reads, as a patient of the house: whose account would pay."""
    own = PatientAccess.objects.live().filter(user=access.user_id, relation=Relation.SELF)
    row = own.select_related("patient").first()
    return None if row is None else row.patient


def _known(patient: Patient) -> bool:
    """The insurer and the wallet know people by their ID card."""
    return bool(patient.id_number) and patient.id_type == IdType.ID_CARD


def with_phone(way: Way | None, ways: tuple[Way, ...], most: int) -> tuple[Way, ...]:
    """The phone's way before the others, of which the window is always the last."""
    if way is None:
        return ways
    kept = ways if len(ways) < most else (*ways[: most - WINDOW_AND_ONE], ways[-1])
    return (way, *kept)
