"""2201 and 2203A: the visit is registered once, under one proof, and told what it is for."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from core import clock
from core.ids import business_number
from core.json_values import canonical
from core.prepared import row_insert, row_update
from insurance.gateway.base import GatewayStyle, Operation
from insurance.gateway.nhsa.visits import register, visit_query, visit_tell
from insurance.gateway.visit_values import (
    Credential,
    CredentialKind,
    Diagnosis,
    Scheme,
    Visit,
)
from insurance.locks import visit_lock
from insurance.models import Claim, Entitlement, FilingKind, InsuredVisit
from insurance.selectors import message_last, visit_living
from insurance.services.claims.speaking import Pricing, fields_write
from insurance.services.claims.values import PricedState
from patients.models import Encounter


def visit_settle(pricing: Pricing, credential: Credential | None) -> None:
    """Give the claim its registered visit, and tell the insurer what it is for."""
    visit = pricing.claim.visit or _taken_or_made(pricing, credential)
    if not visit.mdtrt_id:
        _register(pricing, visit)
    elif pricing.claim.mdtrt_id != visit.mdtrt_id:
        with pricing.step("visit_number") as claim:
            fields_write(claim, mdtrt_id=visit.mdtrt_id)
    _tell(pricing)


def visit_wire(claim: Claim, visit: InsuredVisit) -> Visit:
    """The visit as the insurer is told of it."""
    encounter, coverage = claim.encounter, visit.coverage
    return Visit(
        person_no=coverage.person_no,
        credential=proof_of(visit),
        scheme=Scheme(coverage.scheme),
        visit_no=visit.visit_no,
        begun_at=encounter.started_at,
        doctor_code=encounter.doctor_national_code or encounter.doctor_code,
        doctor_name=encounter.doctor_name,
        department_code=encounter.department_code,
        department_name=encounter.department_name,
        department_kind=encounter.department_code,
        med_type=visit.med_type,
        insured_area=coverage.insured_area,
        mdtrt_id=visit.mdtrt_id,
        disease_code=visit.disease_code,
        disease_name=_disease_name(visit),
        diagnoses=_diagnoses(encounter),
    )


def _disease_name(visit: InsuredVisit) -> str:
    """As the insurer calls what is filed under the code; asked for only where a disease is."""
    if not visit.disease_code:
        return ""
    rows = Entitlement.objects.filter(
        patient=visit.coverage.patient_id, kind=FilingKind.CHRONIC, code=visit.disease_code
    )
    return rows.values_list("name", flat=True).first() or ""


def proof_of(visit: InsuredVisit) -> Credential:
    """The proof the visit was registered by."""
    return Credential(
        CredentialKind(visit.kind), visit.number, visit.card_serial, visit.coverage.insured_area
    )


def _diagnoses(encounter: Encounter) -> tuple[Diagnosis, ...]:
    return tuple(
        Diagnosis(
            code=str(one["code"]),
            name=str(one["name"]),
            main=bool(one.get("main")),
            department=encounter.department_name,
            doctor_code=encounter.doctor_national_code or encounter.doctor_code,
            doctor_name=encounter.doctor_name,
            at=encounter.started_at,
        )
        for one in encounter.diagnoses
    )


def _taken_or_made(pricing: Pricing, credential: Credential | None) -> InsuredVisit:
    """A registration that lives, held against being taken back; else the intent of a new one."""
    with pricing.step("visit") as claim:
        living = visit_living(claim)
        visit = visit_lock(living.pk) if living is not None else None
        if visit is None and credential is not None:
            visit = _visit_made(claim, credential)
        if visit is not None:
            number = visit.mdtrt_id or claim.mdtrt_id
            fields_write(claim, visit=visit, coverage=visit.coverage, mdtrt_id=number)
    if visit is None:
        # The registration that was to be used has just been taken back.
        pricing.end(PricedState.UNKNOWN, "visit_gone", _("The insurer is asked again."))
    return visit


def _visit_made(claim: Claim, credential: Credential) -> InsuredVisit:
    held = {
        "kind": credential.kind.value,
        "number": credential.number,
        "card_serial": credential.card_serial,
        "held": True,
        "coverage": claim.coverage,
        "expires_at": clock.day_bounds(clock.today())[1],
    }
    new = {
        "visit_no": business_number("OP"),
        "encounter": claim.encounter,
        "med_type": claim.med_type,
        "disease_code": claim.disease_code,
        "created_at": clock.now(),
    }
    if not claim.mdtrt_id or claim.visit_id:
        return row_insert(InsuredVisit(institution_id=claim.institution_id, **held, **new))
    # The HIS registered it: under its number there is one row, whose proof is the newest one.
    visit, _created = InsuredVisit.objects.update_or_create(
        institution_id=claim.institution_id,
        mdtrt_id=claim.mdtrt_id,
        defaults=held,
        create_defaults=held | new | {"by_his": True},
    )
    return visit


def _register(pricing: Pricing, visit: InsuredVisit) -> None:
    """2201; one whose answer was lost is looked for, then said anew under another number.

    A registration that nobody uses owes nothing; two claims under one number would.
    """
    subject = f"visit:{visit.pk}"
    if message_last(subject, Operation.REGISTER) is not None:
        known = _registered(pricing, visit, subject)
        if known:
            return _number_keep(pricing, visit, known)
        with pricing.step("visit_anew"):
            visit.visit_no = business_number("OP")
            visit.save(update_fields=["visit_no"])
    said = visit_wire(pricing.claim, visit)
    return _number_keep(pricing, visit, pricing.say(register(said), subject=subject))


def _registered(pricing: Pricing, visit: InsuredVisit, subject: str) -> str:
    """5201, where the region has it: the insurer's number of a registration thought lost."""
    region = pricing.institution.region
    if region.style == GatewayStyle.PATH_KEY and "5201" not in region.paths:
        return ""
    call = visit_query(visit_wire(pricing.claim, visit), until=clock.now() + timedelta(minutes=1))
    answer = pricing.ask(call, subject=subject)
    rows = answer.value or ()
    return next((row.mdtrt_id for row in rows if row.visit_no == visit.visit_no), "")


def _number_keep(pricing: Pricing, visit: InsuredVisit, mdtrt_id: str) -> None:
    with pricing.step("registered") as claim:
        visit.mdtrt_id = mdtrt_id
        row_update(visit, "mdtrt_id")
        fields_write(claim, visit=visit, mdtrt_id=mdtrt_id)


def _tell(pricing: Pricing) -> None:
    """2203A, once for the same diagnoses."""
    claim = pricing.claim
    visit = claim.visit
    assert visit is not None
    if not claim.encounter.diagnoses:
        pricing.end(
            PricedState.REFUSED,
            "no_diagnosis",
            _("The insurer takes no bill of a visit without a diagnosis."),
        )
    told = canonical([visit.med_type, visit.disease_code, claim.encounter.diagnoses])
    digest = hashlib.sha256(told).hexdigest()
    if visit.told_hash == digest:
        return
    pricing.say(visit_tell(visit_wire(claim, visit)))
    with pricing.step("told") as locked:
        assert locked.visit is not None
        locked.visit.told_hash = digest
        row_update(locked.visit, "told_hash")
