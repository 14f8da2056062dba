"""2501 and 2503: the intent is committed with the row that says "asked", then it is sent, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.audit import record
from core.errors import BadInput, Conflict, NotOffered
from core.failpoints import failpoint
from core.prepared import row_insert_new
from insurance import filings
from insurance.gateway.base import Call
from insurance.gateway.nhsa.filings import ChronicFiling, TransferFiling, transfer_file
from insurance.gateway.nhsa.filings import chronic_file as chronic_call
from insurance.gateway.visit_values import Scheme
from insurance.models import Coverage, Filing, FilingKind, Institution
from insurance.policy import POLICY
from insurance.selectors import institution_speaking
from insurance.services.exchange import message_deliver, message_prepare
from insurance.services.filings.asking import coverage_ask
from insurance.services.filings.learning import filing_learnt
from patients.models import Patient

CHRONIC_DAYS = 365
DISEASE_MAX, NAME_MAX, DOCTOR_MAX = 30, 100, 30


@dataclass(frozen=True, slots=True)
class ChronicWish:
    """A disease to be filed, and the doctor of this house who found it."""

    disease_code: str
    disease_name: str
    doctor_code: str
    doctor_name: str
    found_on: date


def away_file(
    *, patient: Patient, way: str, promised: bool, by: Actor, address: str = ""
) -> Filing:
    """File care here for somebody insured elsewhere (2501), from today, by one of the region's
    ways. FILED, REFUSED with the insurer's words, or ASKED: then `filing_look` learns the end.

    The caller has seen to it that `by` speaks for the patient. Raises BadInput, NotOffered where
    nothing is filed, Conflict when it is not needed, stands already or is under way. Not inside a
    transaction.
    """
    place = _place(filings.AWAY_CODES)
    chosen = next((one for one in filings.ways_of(place.region) if one.way == way), None)
    if chosen is None:
        raise BadInput("way_unknown", _("Choose why you are treated here."), "way")
    _promise_check(promised)
    coverage = _insured(patient, place)
    if not filings.is_away(coverage.insured_area, place.region):
        raise Conflict("not_away", _("You are insured in this place. Care here needs no filing."))
    today = clock.today()
    row = _row(patient, place, coverage, FilingKind.AWAY, by)
    row.code, row.name = chosen.code, str(chosen.way.value)
    row.from_day, row.until_day = today, chosen.until(today)
    call = transfer_file(
        TransferFiling(
            person_no=coverage.person_no,
            scheme=Scheme(coverage.scheme),
            phone=patient.phone,
            address="",
            insured_area=coverage.insured_area,
            care_area=row.care_area,
            institution_code=place.campus.institution_code,
            institution_name=place.name,
            diagnosis_code="",
            diagnosis_name="",
            kind=chosen.code,
            reason=str(chosen.way.label),
            from_day=row.from_day,
            until_day=row.until_day,
            filed_on=today,
        )
    )
    return _said(row, call, by, address)


def chronic_file(
    *, patient: Patient, wish: ChronicWish, promised: bool, by: Actor, address: str = ""
) -> Filing:
    """File a chronic or special disease that a doctor of this house found (2503); else as
    `away_file`."""
    place = _place(filings.CHRONIC_CODES)
    _wish_check(wish)
    _promise_check(promised)
    coverage = _insured(patient, place)
    today = clock.today()
    row = _row(patient, place, coverage, FilingKind.CHRONIC, by)
    row.code, row.name = wish.disease_code, wish.disease_name
    row.from_day, row.until_day = today, today + timedelta(days=CHRONIC_DAYS - 1)
    call = chronic_call(
        ChronicFiling(
            person_no=coverage.person_no,
            scheme=Scheme(coverage.scheme),
            disease_code=wish.disease_code,
            disease_name=wish.disease_name,
            phone=patient.phone,
            address="",
            insured_area=coverage.insured_area,
            institution_code=place.campus.institution_code,
            institution_name=place.name,
            found_on=wish.found_on,
            doctor_code=wish.doctor_code,
            doctor_name=wish.doctor_name,
            from_day=row.from_day,
            until_day=row.until_day,
        )
    )
    return _said(row, call, by, address)


def _place(codes: tuple[str, ...]) -> Institution:
    place = filings.rights_place()
    if place is None or not filings.reachable(place.region, codes):
        raise NotOffered("no_filing", _("Nothing is filed at the insurer here."))
    return place


def _insured(patient: Patient, place: Institution) -> Coverage:
    if not patient.phone:
        raise Conflict("no_phone", _("The insurer needs a phone number; ask the window."))
    coverage = coverage_ask(patient=patient, place=place)
    if coverage is None:
        raise Conflict("not_covered", _("The patient has no insurance that holds today."))
    return coverage


def _row(
    patient: Patient, place: Institution, coverage: Coverage, kind: FilingKind, by: Actor
) -> Filing:
    now = clock.now()
    return Filing(
        patient=patient,
        institution=place,
        kind=kind,
        scheme=coverage.scheme,
        insured_area=coverage.insured_area,
        care_area=place.region.area if kind is FilingKind.AWAY else "",
        person_no=coverage.person_no,
        due_at=now + timedelta(seconds=POLICY.sending_s),
        promised_at=now,
        asked_by=by.key,
        created_at=now,
    )


def _said(row: Filing, call: Call[str], by: Actor, address: str) -> Filing:
    """Commit that it is asked, send it, and keep what was learnt."""
    with transaction.atomic():
        if not row_insert_new(row):
            raise Conflict("filing_under_way", _("A filing is under way; wait for its end."))
        # Asked once no other can be under way: one that ended a moment ago is seen here.
        _refuse_filed(row)
        prepared = message_prepare(
            institution=institution_speaking(row.institution_id), call=call, subject=row.subject
        )
        row.message = prepared.message
        row.save(update_fields=["message"])
        record(
            by=by,
            action="insurance_filing_asked",
            subject="insurance.filing",
            subject_id=row.pk,
            detail={"patient": row.patient_id, "kind": row.kind, "code": row.code},
            address=address,
        )
    failpoint("filing.before_send")
    answer = message_deliver(prepared)
    failpoint("filing.after_send")
    return filing_learnt(filing_id=row.pk, message=prepared.message, answer=answer)


def _refuse_filed(row: Filing) -> None:
    kind = FilingKind(row.kind)
    standing = filings.filing_standing(row.patient_id, kind, row.code, row.from_day)
    if standing is not None:
        raise Conflict(
            "filed_already",
            _("This is filed already, until %(day)s.") % {"day": f"{standing.until_day:%Y-%m-%d}"},
        )


def _promise_check(promised: bool) -> None:
    if not promised:
        raise BadInput("not_promised", _("Confirm that what is filed is true."), "promised")


def _wish_check(wish: ChronicWish) -> None:
    """What no wire can hold is refused before anything is said."""
    told = (
        ("disease_code", wish.disease_code, DISEASE_MAX, _("Give the code of the disease.")),
        ("disease_name", wish.disease_name, NAME_MAX, _("Give the name of the disease.")),
        ("doctor_code", wish.doctor_code, DOCTOR_MAX, _("Give the doctor's national code.")),
        ("doctor_name", wish.doctor_name, NAME_MAX, _("Give the doctor's name.")),
    )
    for field, value, longest, sentence in told:
        if not 0 < len(value.strip()) <= longest or not value.isprintable():
            raise BadInput(f"{field}_missing", sentence, field)
    if wish.found_on > clock.today():
        raise BadInput("found_ahead", _("The day it was found lies ahead."), "found_on")
