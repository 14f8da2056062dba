"""Reading questions about a bill's insurance: whether there is one, and what is left to claim."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, Q, Sum, Value
from django.db.models.functions import Coalesce

from billing.models import CourseStep, InsuredCourse, Invoice, InvoiceLine, ReturnStatus
from core import clock
from insurance.models import Claim, ClaimRoute, Coverage, HeldCredential, Institution
from insurance.models.coverage import ACTIVE
from patients.actors import user_actor_key
from patients.models import Encounter, HisClient

# Returns that were let go: what waits for a decision, or was refused, is still claimed.
LET_GO = (ReturnStatus.ACCEPTED, ReturnStatus.DONE, ReturnStatus.FAILED)


@dataclass(frozen=True, slots=True)
class LeftLine:
    """A line of a bill with what was not given back of it."""

    line: InvoiceLine
    quantity: Decimal
    amount_fen: int


def insurance_is_wanted(encounter: Encounter) -> bool:
    """Whether the insurer is asked about this visit's bills: the patient did not ask to pay alone,
    the place has a contract, and a proof, a registration or a known entitlement is there. One
    statement at most."""
    if encounter.self_pay:
        return False
    places = Institution.objects.filter(
        campus=encounter.campus_id, active=True, region__active=True
    ).exclude(campus__institution_code="")
    if encounter.mdtrt_id:
        return places.exists()
    held = HeldCredential.objects.filter(
        encounter=encounter.pk, held=True, expires_at__gt=clock.now()
    )
    known = Coverage.objects.filter(patient=encounter.patient_id, state=ACTIVE)
    return places.filter(Exists(held) | Exists(known)).exists()


def phone_priced(invoice: Invoice) -> bool:
    """Whether the bill's price was made for the insured's own phone. No statement without a
    claim."""
    if invoice.claim_id is None:
        return False
    steps = (CourseStep.PRICE, CourseStep.OFFER)
    rows = InsuredCourse.objects.filter(invoice=invoice, route=ClaimRoute.MOBILE, step__in=steps)
    return rows.exists()


def phone_allowed_by(invoice: Invoice, user_id: int | None) -> bool:
    """Whether this user allowed the insurance of the bill's claim on their phone."""
    if user_id is None or invoice.claim_id is None:
        return False
    by = Claim.objects.values_list("opened_by", flat=True).get(pk=invoice.claim_id)
    return by == user_actor_key(user_id)


def wallet_has(invoice: Invoice) -> bool:
    """Whether the wallet was given insurance and cash of the bill together. No statement without a
    claim."""
    if invoice.claim_id is None:
        return False
    return InsuredCourse.objects.filter(invoice=invoice, step=CourseStep.WALLET).exists()


def credential_is_held(client: HisClient, encounter_no: str, input_hash: str) -> bool:
    """Whether this very registration of a visit has brought a proof that is still good."""
    return HeldCredential.objects.filter(
        encounter__client=client,
        encounter__encounter_no=encounter_no,
        encounter__input_hash=input_hash,
        held=True,
        expires_at__gt=clock.now(),
    ).exists()


def lines_left(invoice: Invoice) -> list[LeftLine]:
    """The lines of a bill less what was given back; lines given back whole are gone. One
    statement."""
    gone = Q(returns__invoice_return__status__in=LET_GO)
    rows = (
        InvoiceLine.objects.filter(invoice=invoice)
        .select_related("charge")
        .annotate(
            gone_fen=Coalesce(Sum("returns__amount_fen", filter=gone), 0),
            gone_quantity=Coalesce(Sum("returns__quantity", filter=gone), Value(Decimal(0))),
        )
        .order_by("pk")
    )
    return [
        LeftLine(row, row.quantity - row.gone_quantity, row.amount_fen - row.gone_fen)
        for row in rows
        if row.amount_fen > row.gone_fen
    ]


def agency_of(invoice: Invoice) -> str:
    """Who owes the claim of a bill, as the ledger's accounts name it: the region that settles."""
    assert invoice.claim_id is not None
    area = Claim.objects.values_list("institution__region__area", flat=True)
    return str(area.get(pk=invoice.claim_id))


def claim_body(invoice: Invoice) -> dict[str, Any] | None:
    """What the HIS reads of a bill's claim; two statements, and none without one."""
    if invoice.claim_id is None:
        return None
    claim = Claim.objects.get(pk=invoice.claim_id)
    course = InsuredCourse.objects.filter(invoice=invoice).values_list("sentence", flat=True)
    return {
        "claim_no": claim.batch_no,
        "status": claim.status,
        "med_type": claim.med_type,
        "mdtrt_id": claim.mdtrt_id,
        "settlement_no": claim.settlement_no,
        "priced_at": _instant(invoice.priced_at),
        "valid_until": _instant(invoice.valid_until),
        "settled_at": _instant(invoice.settled_at),
        "sentence": course.first() or "",
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(clock.ZONE).isoformat()
