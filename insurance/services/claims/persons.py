"""1101 and 2001: who is insured, by what, and whether it holds for this care today."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.actors import SYSTEM
from core.audit import record
from core.outcomes import Outcome
from insurance.gateway.nhsa.filings import chronic_query
from insurance.gateway.nhsa.people import benefit_check, person
from insurance.gateway.visit_values import Credential, CredentialKind, Person, Scheme
from insurance.models import Claim, ClaimRoute, Coverage, InsuranceReason
from insurance.selectors import coverage_choose, visit_living
from insurance.services.claims.speaking import Pricing, fields_write
from insurance.services.claims.values import PricedState
from insurance.services.coverages import coverages_write
from insurance.services.credentials import credential_of
from insurance.services.entitlements import chronics_keep
from patients.models import IdType

CHRONIC = "14"


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
    with pricing.step("person") as locked:
        rows = coverages_write(patient=claim.encounter.patient, found=found)
        chosen = coverage_choose(rows, credential.insured_area)
        if chosen is not None:
            fields_write(locked, coverage=chosen)
    if chosen is None:
        pricing.end(
            PricedState.NOT_COVERED,
            "not_covered",
            _("The patient has no insurance that holds today."),
        )
    _benefit(pricing, chosen)
    return credential


def _consented(claim: Claim) -> Credential | None:
    """On the phone nothing is shown at the hospital: the visit is registered by the identity card,
    and the consent (payAuthNo) that the centre asks for must be the same person's."""
    patient = claim.encounter.patient
    by_card = bool(patient.id_number) and patient.id_type == IdType.ID_CARD
    if claim.route != ClaimRoute.MOBILE or not by_card:
        return None
    return Credential(CredentialKind.ID_CARD, patient.id_number)


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


def _benefit(pricing: Pricing, chosen: Coverage) -> None:
    """2001 before care for a chronic disease: without the entitlement the fund pays nothing. What
    is filed (5301) is kept beside it, for its name and for the patient to see."""
    claim = pricing.claim
    if not claim.med_type.startswith(CHRONIC):
        return
    filed = pricing.ask(chronic_query(chosen.person_no, insured_area=chosen.insured_area))
    if filed.outcome is Outcome.SUCCEEDED:
        with pricing.step("diseases") as locked:
            chronics_keep(
                patient=locked.encounter.patient,
                insured_area=chosen.insured_area,
                told=filed.value or (),
            )
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
