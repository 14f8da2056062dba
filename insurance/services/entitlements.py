"""What the insurer says is filed for a person, kept: care elsewhere (5304), diseases (5301)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from core import clock
from insurance.gateway.nhsa.filings import Away, Chronic
from insurance.models import Entitlement, FilingKind
from patients.models import Patient

CODE_MAX, NAME_MAX, NUMBER_MAX, AREA_MAX = 30, 100, 40, 6


def aways_keep(*, patient: Patient, insured_area: str, told: Iterable[Away]) -> None:
    """Every filing of care elsewhere, in place of those known before."""
    _keep(
        patient,
        FilingKind.AWAY,
        insured_area,
        [
            Entitlement(
                code=one.way[:CODE_MAX],
                care_area=one.care_area[:AREA_MAX],
                filing_no=one.serial[:NUMBER_MAX],
                from_day=one.from_day,
                until_day=one.until_day,
            )
            for one in told
        ],
    )


def chronics_keep(*, patient: Patient, insured_area: str, told: Iterable[Chronic]) -> None:
    """Every disease the person is filed for, in place of those known before."""
    _keep(
        patient,
        FilingKind.CHRONIC,
        insured_area,
        [
            Entitlement(
                code=one.code[:CODE_MAX],
                name=one.name[:NAME_MAX],
                filing_no=one.serial[:NUMBER_MAX],
                from_day=one.from_day,
                until_day=one.until_day,
            )
            for one in told
        ],
    )


def _keep(patient: Patient, kind: FilingKind, area: str, rows: list[Entitlement]) -> None:
    now = clock.now()
    by_key = {}
    for row in rows:
        row.patient, row.kind, row.insured_area, row.told_at = patient, kind, area, now
        by_key[row.code, row.care_area, row.filing_no] = row
    with transaction.atomic():
        if by_key:
            Entitlement.objects.bulk_create(
                # Ordered, so that two answers of one moment do not wait for each other.
                [by_key[key] for key in sorted(by_key)],
                update_conflicts=True,
                unique_fields=[
                    "patient", "kind", "insured_area", "code", "care_area", "filing_no",
                ],
                update_fields=["name", "from_day", "until_day", "told_at"],
            )  # fmt: skip
        Entitlement.objects.filter(
            patient=patient, kind=kind, insured_area=area, told_at__lt=now
        ).delete()
