"""Who somebody is at the insurer, and what it says stands for them."""

from __future__ import annotations

from typing import TypeVar

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.errors import Conflict
from core.outcomes import Outcome
from insurance.filings import reachable
from insurance.gateway.base import Call
from insurance.gateway.nhsa.filings import chronic_query, transfer_query
from insurance.gateway.nhsa.people import person
from insurance.gateway.visit_values import Credential, CredentialKind
from insurance.models import Coverage, Institution
from insurance.selectors import coverage_choose, institution_speaking
from insurance.services.claims.asking import place_ask
from insurance.services.coverages import coverages_write
from insurance.services.entitlements import aways_keep, chronics_keep
from patients.models import IdType, Patient

Value = TypeVar("Value")


def rights_ask(*, patient: Patient, place: Institution) -> Coverage | None:
    """Ask who this is (1101), which diseases (5301) and which care elsewhere (5304) are filed, and
    keep it; the coverage a bill would go by, None when none holds. Not inside a transaction.

    Raises Conflict with what the insurer says, or that it says nothing; what was learnt before
    that is kept.
    """
    chosen = coverage_ask(patient=patient, place=place)
    if chosen is None:
        return None
    area = chosen.insured_area
    diseases = said(place, chronic_query(chosen.person_no, insured_area=area), patient)
    chronics_keep(patient=patient, insured_area=area, told=diseases)
    if reachable(place.region, ("5304",)):
        aways = said(place, transfer_query(chosen.person_no, insured_area=area), patient)
        aways_keep(patient=patient, insured_area=area, told=aways)
    return chosen


def coverage_ask(*, patient: Patient, place: Institution) -> Coverage | None:
    """1101 by the ID card, kept; the coverage a bill would go by."""
    if not patient.id_number or patient.id_type != IdType.ID_CARD:
        raise Conflict("no_id_number", _("No ID card number is on record; ask the window."))
    proof = Credential(CredentialKind.ID_CARD, patient.id_number)
    told = said(place, person(proof, name=patient.name, id_number=patient.id_number), patient)
    with transaction.atomic():
        rows = coverages_write(patient=patient, found=told)
    return coverage_choose(rows, "")


def said(place: Institution, call: Call[Value], about: Patient) -> Value:
    """The value, or why there is none in words that a person can act on."""
    answer = place_ask(institution_speaking(place.pk), call, f"patient:{about.pk}")
    if answer.outcome is Outcome.DECLINED:
        raise Conflict("insurer_refused", answer.sentence)
    if answer.outcome is not Outcome.SUCCEEDED:
        raise Conflict("insurer_silent", _("The insurer does not answer. Please try again."))
    return answer.known
