"""1101 and 2001: who is insured, by what, and whether it holds for this care today."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import SYSTEM
from core.audit import record
from insurance.gateway.nhsa.people import benefit_check, person
from insurance.gateway.visit_values import Credential, CredentialKind, Person, Scheme
from insurance.models import Claim, ClaimRoute, Coverage, InsuranceReason
from insurance.selectors import visit_living
from insurance.services.claims.speaking import Pricing, fields_write
from insurance.services.claims.values import PricedState
from insurance.services.credentials import credential_of
from patients.models import IdType, Patient

CHRONIC = "14"
PREFERRED = (Scheme.EMPLOYEE.value, Scheme.RESIDENT.value)
NOT_TOLD = ""
_TOLD = (
    "person_no", "person_index", "person_class", "state", "civil_servant", "balance_fen",
    "paused_since", "checked_at",
)  # fmt: skip


def coverage_settle(pricing: Pricing) -> Credential | None:
    """Give the claim its coverage; None when a registration that lives bears the proof already."""
    claim = pricing.claim
    if claim.visit_id or visit_living(claim) is not None:
        return None
    credential = credential_of(claim.encounter) or _consented(claim)
    if credential is None:
        pricing.end(
            PricedState.NO_CREDENTIAL,
            "no_credential",
            _("Show the insurance code of the patient, or present the face at a terminal."),
        )
    found = _person(pricing, credential)
    rows = _coverages_keep(pricing, claim.encounter.patient, found)
    chosen = coverage_choose(rows, credential.insured_area)
    if chosen is None:
        pricing.end(
            PricedState.NOT_COVERED,
            "not_covered",
            _("The patient has no insurance that holds today."),
        )
    _benefit(pricing, chosen)
    with pricing.step("coverage") as locked:
        fields_write(locked, coverage=chosen)
    return credential


def _consented(claim: Claim) -> Credential | None:
    """On the phone nothing is shown at the hospital: the visit is registered by the identity card,
    and the consent (payAuthNo) that the centre asks for must be the same person's."""
    patient = claim.encounter.patient
    by_card = bool(patient.id_number) and patient.id_type == IdType.ID_CARD
    if claim.route != ClaimRoute.MOBILE or not by_card:
        return None
    return Credential(CredentialKind.ID_CARD, patient.id_number)


def coverage_choose(rows: Sequence[Coverage], insured_area: str) -> Coverage | None:
    """Only what holds; of the place the code names, then the employees' before the residents'."""
    usable = [row for row in rows if row.active and row.scheme in PREFERRED]
    home = [row for row in usable if row.insured_area == insured_area]
    ranked = sorted(home or usable, key=lambda row: PREFERRED.index(row.scheme))
    return ranked[0] if ranked else None


def _person(pricing: Pricing, credential: Credential) -> Person:
    """1101; an answer about another person than the registered patient stops the claim."""
    patient = pricing.claim.encounter.patient
    by_card = bool(patient.id_number) and patient.id_type == IdType.ID_CARD
    found = pricing.say(
        person(
            credential,
            name=patient.name if by_card else "",
            id_number=patient.id_number if by_card else "",
        )
    )
    same = patient.id_number and patient.id_number.upper() == found.id_number.upper()
    if not same or found.name != patient.name:
        record(
            by=SYSTEM,
            action="insurance_other_person",
            subject="encounter",
            subject_id=str(pricing.claim.encounter_id),
            detail={"insured_area": credential.insured_area},
        )
        pricing.review(InsuranceReason.OTHER_PERSON, str(InsuranceReason.OTHER_PERSON.label))
    return found


def _coverages_keep(pricing: Pricing, patient: Patient, found: Person) -> list[Coverage]:
    """What was told replaces what was known; a row that is told no more holds no more."""
    now = clock.now()
    told = {
        (one.insured_area, one.scheme): Coverage(
            patient=patient,
            scheme=one.scheme.value,
            insured_area=one.insured_area,
            person_no=found.person_no,
            person_class=one.person_class,
            state=one.state,
            civil_servant=one.civil_servant,
            balance_fen=one.balance_fen,
            paused_since=one.paused_since,
            checked_at=now,
        )
        for one in found.coverages
    }
    with pricing.step("person"):
        if told:
            Coverage.objects.bulk_create(
                told.values(),
                update_conflicts=True,
                unique_fields=["patient", "insured_area", "scheme"],
                update_fields=_TOLD,
            )
        Coverage.objects.filter(patient=patient, checked_at__lt=now).update(
            state=NOT_TOLD, checked_at=now
        )
    return list(told.values())


def _benefit(pricing: Pricing, chosen: Coverage) -> None:
    """2001 before care for a chronic disease: without the entitlement the fund pays nothing."""
    claim = pricing.claim
    if not claim.med_type.startswith(CHRONIC):
        return
    rows = pricing.say(
        benefit_check(
            chosen.person_no,
            scheme=Scheme(chosen.scheme),
            institution_code=pricing.institution.campus.institution_code,
            med_type=claim.med_type,
            at=claim.encounter.started_at,
            insured_area=chosen.insured_area,
            disease_code=claim.disease_code,
        )
    )
    if not any(row.enjoyed for row in rows):
        said = next((row.result for row in rows if row.result), "")
        sentence = _("The insurer does not pay for this disease: %(reason)s") % {"reason": said}
        pricing.end(PricedState.NOT_COVERED, "no_benefit", sentence)
