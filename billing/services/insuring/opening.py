"""A claim begins with the lines of the bill, frozen as the insurer is to see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from billing.models import CourseStep, InsuredCourse, Invoice, Why
from billing.selectors.insured import LeftLine, lines_left
from core.actors import Actor
from core.errors import NotOffered
from insurance.gateway.claim_values import ChargeLine
from insurance.models import Claim, ClaimRoute, ClaimStatus
from insurance.selectors import institution_of
from insurance.services.claims import claim_open
from patients.models import Encounter

# A claim that was begun and said nothing final goes on; anything else makes a new one.
REUSED = (ClaimStatus.OPEN, ClaimStatus.PRICED)


def claim_begin(*, invoice: Invoice, by: Actor, route: ClaimRoute = ClaimRoute.FSI) -> Claim:
    """Open the claim of a locked or new bill and put its course at the beginning.

    What is claimed is what is left of the lines after the returns that were let go. Raises Conflict
    or BadInput with every line the insurer would refuse, and Conflict while a claim stands that
    goes the other route.
    """
    known = Claim.objects.filter(invoice_ref=invoice.pk, status__in=REUSED, route=route).first()
    claim = known or _opened(invoice, lines_left(invoice), by, route)
    Invoice.objects.filter(pk=invoice.pk).update(claim=claim, settled_at=None)
    invoice.claim, invoice.settled_at = claim, None
    InsuredCourse.objects.update_or_create(
        invoice=invoice,
        defaults={"step": CourseStep.PRICE, "route": route, "busy_until": None, "tries": 0}
        | {"proof_wanted_at": None},
    )
    return claim


def insurance_refuse(encounter: Encounter) -> None:
    """Why a code shown now opens no insurance: NotOffered with the reason."""
    if encounter.self_pay:
        raise NotOffered(
            "self_pay",
            _("This visit was registered to be paid without insurance. Register the wish anew."),
            "method",
        )
    institution_of(encounter.campus_id)


def course_of(invoice: Invoice) -> InsuredCourse:
    """Where a locked bill stands; it is only ever touched under that lock."""
    return InsuredCourse.objects.get(invoice=invoice)


def course_set(
    course: InsuredCourse, step: CourseStep, *, why: Why | None = None, **fields: Any
) -> None:
    """Write the next step; whoever was busy is done, and nothing waits for a code any more."""
    values = {"step": step, "busy_until": None, "tries": 0, "proof_wanted_at": None} | fields
    if why is not None:
        values["why"] = why
    for name, value in values.items():
        setattr(course, name, value)
    course.save(update_fields=list(values))


def _opened(invoice: Invoice, left: Sequence[LeftLine], by: Actor, route: ClaimRoute) -> Claim:
    # The lock of a bill reads of its visit only what messages name.
    visit = Encounter.objects.get(pk=invoice.encounter_id)
    return claim_open(
        invoice_ref=invoice.pk,
        encounter=visit,
        lines=[charge_line(one, visit) for one in left],
        med_type=visit.med_type,
        disease_code=visit.disease_code,
        mdtrt_id=visit.mdtrt_id,
        by=by,
        route=route,
    )


def charge_line(left: LeftLine, visit: Encounter) -> ChargeLine:
    """A line of the bill in the insurer's words; the HIS names departments by their codes."""
    charge = left.line.charge
    details = charge.details
    doctor = details.get("ordered_by") or {}
    own = doctor.get("code", "") in ("", visit.doctor_code)
    return ChargeLine(
        number=charge.charge_no,
        national_code=charge.national_code,
        hospital_code=charge.item_code,
        name=charge.item_name,
        category=charge.category,
        amount_fen=left.amount_fen,
        quantity=left.quantity,
        unit_price=charge.unit_price,
        ordered_at=charge.ordered_at,
        ordering_department_code=details.get("ordering_department", visit.department_code),
        ordering_department_name=visit.department_name,
        doctor_code=doctor.get("national_code")
        or (visit.doctor_national_code if own else "")
        or doctor.get("code", ""),
        doctor_name=doctor.get("name") or (visit.doctor_name if own else ""),
        executing_department_code=details.get("executing_department", ""),
        prescription_no=details.get("prescription_no", ""),
        disease_code="",
        dose=details.get("dose", ""),
        approval=details.get("approval_flag", "0"),
    )
