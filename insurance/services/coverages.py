"""What the insurer told of a person's insurance, kept."""

from __future__ import annotations

from core import clock
from core.statements import prepared_cursor
from insurance.gateway.visit_values import Person
from insurance.models import Coverage
from patients.models import Patient

NOT_TOLD = ""
_TOLD = (
    "person_no", "person_index", "person_class", "state", "civil_servant", "balance_fen",
    "paused_since", "checked_at",
)  # fmt: skip
_TOLD_NO_MORE = """
UPDATE insurance_coverage SET state = %s, checked_at = %s WHERE patient_id = %s AND checked_at < %s
"""


def coverages_write(*, patient: Patient, found: Person) -> list[Coverage]:
    """What was told replaces what was known; a row that is told no more holds no more.

    In the caller's transaction.
    """
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
    if told:
        Coverage.objects.bulk_create(
            told.values(),
            update_conflicts=True,
            unique_fields=["patient", "insured_area", "scheme"],
            update_fields=_TOLD,
        )
    with prepared_cursor() as cursor:
        cursor.execute(_TOLD_NO_MORE, [NOT_TOLD, now, patient.pk, now])
    return list(told.values())
