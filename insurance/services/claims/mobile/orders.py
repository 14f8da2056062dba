"""The order of a claim at the centre: begun with the consent, named in every later call."""

from __future__ import annotations

import secrets

from django.utils.translation import gettext_lazy as _

from core import clock
from core.errors import BadInput, NotOffered
from core.failpoints import failpoint
from core.ids import business_number
from insurance.gateway.base import Operation
from insurance.gateway.claim_values import Split
from insurance.gateway.identities import IdentityBroken
from insurance.gateway.mobile.states import OrderClass, order_class
from insurance.gateway.mobile.values import (
    MobileParts,
    MobileReference,
    MobileRefund,
    SettleKind,
)
from insurance.models import Claim, ClaimRoute, Institution, MobileOrder
from insurance.selectors import message_last
from patients.models import Patient

# ordStas of an order nobody has confirmed; and of one that never will be settled.
SAVED, TRIED = "0", "1"
NOTHING_COMES = frozenset({OrderClass.CLOSED, OrderClass.FAILED})
PAY_AUTH_LENGTH_MAX = 40
LOCATION_LENGTH_MAX = 40
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def mobile_begin(
    *, claim: Claim, pay_auth_no: str, payer: Patient | None = None, location: str = ""
) -> MobileOrder:
    """The order of a claim just opened for this route, in the caller's transaction; `payer` is the
    guardian who allowed it in the patient's stead.

    BadInput for a consent that cannot be one, NotOffered where the region has no centre.
    """
    if claim.route != ClaimRoute.MOBILE:
        raise ValueError("only a claim of the mobile route has an order at the centre")
    if not claim.institution.region.mobile_url:
        raise NotOffered("no_mobile_centre", _("Insurance cannot be used on the phone here."))
    well_formed = pay_auth_no.isascii() and pay_auth_no.isprintable() and " " not in pay_auth_no
    if not well_formed or not 0 < len(pay_auth_no) <= PAY_AUTH_LENGTH_MAX:
        raise BadInput("pay_auth_no", _("The insurer's page gave no permission."), "pay_auth_no")
    order = MobileOrder.objects.create(
        claim=claim,
        order_no=_order_number(),
        payer=payer,
        pay_auth_no=pay_auth_no,
        location=location[:LOCATION_LENGTH_MAX],
        created_at=clock.now(),
    )
    failpoint("claim.mobile_order_written")
    return order


def order_of_claim(claim: Claim) -> MobileOrder:
    """A claim of this route has one."""
    return MobileOrder.objects.get(claim=claim)


def reference_of_order(
    claim: Claim, order: MobileOrder, institution: Institution
) -> MobileReference:
    """Which order is meant, and whose it is."""
    patient = claim.patient
    return MobileReference(
        pay_order_no=order.pay_order_no,
        pay_token=order.pay_token,
        institution_code=institution.campus.institution_code,
        patient_name=patient.name,
        id_number=patient.id_number,
    )


def split_of_parts(parts: MobileParts) -> Split:
    """The five parts; what the centre names beside them belongs to nobody, and is refused."""
    if parts.other_fen:
        raise IdentityBroken("6xxx", "othFeeAmt", parts.other_fen, 0)
    return Split(
        fund_fen=parts.fund_fen,
        own_account_fen=parts.account_fen - parts.mutual_aid_fen,
        mutual_aid_fen=parts.mutual_aid_fen,
        hospital_part_fen=parts.hospital_fen,
        cash_fen=parts.cash_fen,
    )


def refund_of_claim(claim: Claim, order: MobileOrder, kind: SettleKind) -> MobileRefund:
    """6203 of the insurance whole, or of the cash of an order whose insurance was never settled.

    The cash of a settled order goes back by the wallet's own refund, whole or in part.
    """
    split = claim.settled_split or claim.priced_split
    assert split is not None  # nothing is refunded before it was priced
    account_fen = split.own_account_fen + split.mutual_aid_fen
    return MobileRefund(
        pay_order_no=order.pay_order_no,
        refund_no=order.refund_no,
        at=clock.now(),
        kind=kind,
        original=MobileParts(
            total_fen=split.total_fen,
            cash_fen=split.cash_fen,
            account_fen=account_fen,
            fund_fen=split.fund_fen,
            hospital_fen=split.hospital_part_fen,
            mutual_aid_fen=split.mutual_aid_fen,
        ),
        cash_fen=split.cash_fen if kind is SettleKind.CASH else 0,
        pay_auth_no=order.pay_auth_no,
    )


def refund_number(order: MobileOrder, *, failed: bool) -> None:
    """The number of a refund is kept until it has failed for good; the claim is locked."""
    if order.refund_no and not failed:
        return
    order.refund_no = business_number("MR")
    order.save(update_fields=["refund_no"])


def may_be_settled(claim: Claim, order: MobileOrder) -> bool:
    """Whether 6202 was said and nothing heard since that excludes a settlement: an order without
    cash is settled by it, and nobody else would ever ask."""
    heard = order.state == TRIED or order_class(order.state) in NOTHING_COMES
    said = order.pay_order_no and message_last(claim.subject, Operation.MOBILE_ORDER)
    return bool(said) and not heard


def state_note(order: MobileOrder, code: str) -> None:
    """Where the order stood when it was last asked for; for whoever looks at it."""
    if order.state != code:
        MobileOrder.objects.filter(pk=order.pk).update(state=code[:8])
        order.state = code[:8]
        failpoint("claim.mobile_state_noted")


def _order_number() -> str:
    """At most twenty characters, as the wallet's serial_no allows: the second and a random tail."""
    tail = "".join(secrets.choice(_ALPHABET) for _place in range(6))
    return f"MO{clock.now():%y%m%d%H%M%S}{tail}"
