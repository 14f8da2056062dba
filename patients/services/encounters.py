"""Visits, as the HIS opens, changes, closes and cancels them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.audit import record
from core.errors import BadInput, Conflict, NotFound
from core.states import transition
from patients.locks import encounter_locked, people_locked
from patients.models import Encounter, EncounterStatus, HisClient
from patients.selectors import campus_for, patient_by_card, patient_by_mrn

# What a bill was made from; once one stands, these no longer change.
BILLED_FIELDS = frozenset(
    {"patient_id", "kind", "campus_id", "med_type", "disease_code", "mdtrt_id", "self_pay"}
)

INPUT_NAMES = {"patient_id": "mrn", "campus_id": "campus"}


@dataclass(frozen=True, slots=True)
class EncounterInput:
    """A visit as the HIS tells it. Exactly one of `mrn` and `card_no` is given."""

    mrn: str
    card_no: str
    kind: str
    campus: str
    department_code: str
    department_name: str
    doctor_code: str
    doctor_national_code: str
    doctor_name: str
    started_at: datetime
    diagnoses: Sequence[dict[str, Any]]
    med_type: str
    disease_code: str
    mdtrt_id: str
    self_pay: bool
    input_hash: str


@dataclass(frozen=True, slots=True)
class EncounterRegistered:
    encounter: Encounter
    created: bool


def encounter_register(
    *,
    client: HisClient,
    encounter_no: str,
    data: EncounterInput,
    by: Actor | None,
    billed: Callable[[Encounter], bool],
) -> EncounterRegistered:
    """Open a visit, or replace what is known of it.

    `billed` is asked under the visit's lock: this app knows no bills, its caller does.
    """
    if data.self_pay and by is None:
        raise BadInput(
            "operator_missing",
            _("The wish to pay without insurance needs the operator who took it."),
            "operator",
        )
    with transaction.atomic():
        people_locked()
        values = _values(client, data, by)
        known = _locked_or_none(client, encounter_no)
        if known is None:
            created = _created(client, encounter_no, values)
            if created is not None:
                _keep_operator(created, by)
                return EncounterRegistered(created, True)
            known = encounter_locked(client=client, encounter_no=encounter_no)
        if known.input_hash != data.input_hash:
            _replace(known, values, billed)
            _keep_operator(known, by)
        return EncounterRegistered(known, False)


def _keep_operator(encounter: Encounter, by: Actor | None) -> None:
    """Who registered or changed it, where the HIS says so; the row keeps only the last wish."""
    if by is not None:
        record(
            by=by,
            action="encounter_put",
            subject="patients.encounter",
            subject_id=encounter.pk,
        )


def _values(client: HisClient, data: EncounterInput, by: Actor | None) -> dict[str, Any]:
    if bool(data.mrn) == bool(data.card_no):
        raise BadInput("mrn_or_card_no", _("Give either mrn or card_no."), "mrn")
    if data.mrn:
        patient = patient_by_mrn(client=client, mrn=data.mrn)
    else:
        patient = patient_by_card(client=client, card_no=data.card_no)
    return {
        "patient_id": patient.pk,
        "kind": data.kind,
        "campus_id": campus_for(client=client, code=data.campus).pk,
        "department_code": data.department_code,
        "department_name": data.department_name,
        "doctor_code": data.doctor_code,
        "doctor_national_code": data.doctor_national_code,
        "doctor_name": data.doctor_name,
        "started_at": data.started_at,
        "diagnoses": list(data.diagnoses),
        "med_type": data.med_type,
        "disease_code": data.disease_code,
        "mdtrt_id": data.mdtrt_id,
        "self_pay": data.self_pay,
        "self_pay_operator": f"{by.key} {by.name}"[:140] if data.self_pay and by else "",
        "input_hash": data.input_hash,
    }


def _locked_or_none(client: HisClient, encounter_no: str) -> Encounter | None:
    try:
        return encounter_locked(client=client, encounter_no=encounter_no)
    except Encounter.DoesNotExist:
        return None


def _created(client: HisClient, encounter_no: str, values: dict[str, Any]) -> Encounter | None:
    """The new row; None when another call was first with this number."""
    try:
        with transaction.atomic():
            return Encounter.objects.create(
                client=client, encounter_no=encounter_no, created_at=clock.now(), **values
            )
    except IntegrityError:
        return None


def _replace(known: Encounter, values: dict[str, Any], billed: Callable[[Encounter], bool]) -> None:
    if known.status != EncounterStatus.OPEN:
        raise Conflict("encounter_ended", _("This visit is closed or cancelled."), "encounter_no")
    changed = [name for name, value in values.items() if getattr(known, name) != value]
    fixed = sorted(BILLED_FIELDS.intersection(changed))
    if fixed and billed(known):
        raise Conflict(
            "already_billed",
            _("This can no longer change: the visit has a bill."),
            INPUT_NAMES.get(fixed[0], fixed[0]),
        )
    for name, value in values.items():
        setattr(known, name, value)
    known.save(update_fields=changed)


def encounter_cancel(
    *,
    client: HisClient,
    encounter_no: str,
    by: Actor,
    refuse_if_billed: Callable[[Encounter], None],
    reason: str = "",
) -> Encounter:
    """Cancel a visit (退号); cancelling it again changes nothing.

    `refuse_if_billed` raises while the visit has bills that are open or paid and not returned.
    """
    with transaction.atomic():
        encounter = _locked(client, encounter_no)
        if encounter.status == EncounterStatus.CANCELLED:
            return encounter
        if encounter.status != EncounterStatus.OPEN:
            raise Conflict("encounter_closed", _("A closed visit is not cancelled."))
        refuse_if_billed(encounter)
        transition(encounter, EncounterStatus.CANCELLED, by=by, reason=reason)
        return encounter


def encounter_close(
    *,
    client: HisClient,
    encounter_no: str,
    by: Actor,
    diagnoses: Sequence[dict[str, Any]] | None = None,
    outcome: str = "",
) -> Encounter:
    """Close a visit; for an inpatient this is the discharge, with diagnoses and outcome."""
    with transaction.atomic():
        encounter = _locked(client, encounter_no)
        if encounter.status == EncounterStatus.CLOSED:
            return encounter
        if encounter.status != EncounterStatus.OPEN:
            raise Conflict("encounter_cancelled", _("A cancelled visit is not closed."))
        fields = {} if diagnoses is None else {"diagnoses": list(diagnoses)}
        transition(encounter, EncounterStatus.CLOSED, by=by, reason=outcome, **fields)
        return encounter


def _locked(client: HisClient, encounter_no: str) -> Encounter:
    try:
        return encounter_locked(client=client, encounter_no=encounter_no)
    except Encounter.DoesNotExist:
        raise NotFound(
            "unknown_encounter", _("No visit has this number."), "encounter_no"
        ) from None


def encounter_hold(*, client: HisClient, encounter_no: str) -> Encounter:
    """The visit, locked for the caller's transaction: whoever changes its charges or issues its
    bills goes one after the other. NotFound where there is none."""
    return _locked(client, encounter_no)
