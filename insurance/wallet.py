"""Reading questions of the insurance code: where it is shown, and which visits still need it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet

from core import clock
from insurance.models import HeldCredential, Institution
from patients.models import Encounter, EncounterStatus


@dataclass(frozen=True, slots=True)
class InsuredToday:
    """What stands about a person's visits of the day: those that wait for a proof, and how many
    hold one. `institution` is where the first of them is, else the house's first."""

    institution: Institution
    waiting: tuple[Encounter, ...]
    ready: int

    @property
    def askable(self) -> bool:
        """Whether a visit waits, at a place whose insurer can be asked on the phone."""
        region = self.institution.region
        return bool(self.waiting and region.authorise_url and region.credential_url)


def wallet_offered() -> bool:
    """Whether any place of the house is insured and knows where the code is; one statement."""
    return _places().exclude(region__wallet_url="").exists()


def insured_today(patient_id: int) -> InsuredToday | None:
    """The person's visits of today that may be insured; None where nothing is insured."""
    places = {place.campus_id: place for place in _places().order_by("pk")}
    if not places:
        return None
    now = clock.now()
    proof = HeldCredential.objects.filter(encounter=OuterRef("pk"), held=True, expires_at__gt=now)
    start, end = clock.day_bounds(clock.today())
    visits = (
        Encounter.objects.filter(
            patient_id=patient_id,
            status=EncounterStatus.OPEN,
            self_pay=False,
            campus_id__in=places,
            started_at__gte=start,
            started_at__lt=end,
        )
        .select_related("patient")
        .annotate(insured=Exists(proof))
        .order_by("pk")
    )
    rows = list(visits)
    waiting = [row for row in rows if not row.insured]
    # One permission is good at one place: visits of another campus ask again.
    place = places[waiting[0].campus_id] if waiting else next(iter(places.values()))
    here = tuple(row for row in waiting if row.campus_id == place.campus_id)
    return InsuredToday(place, here, len(rows) - len(waiting))


def place_asked(institution_id: int) -> Institution | None:
    """The place a permission was asked for, if it still is one."""
    return _places().filter(pk=institution_id).first()


def _places() -> QuerySet[Institution]:
    return (
        Institution.objects.select_related("campus", "region")
        .filter(active=True, region__active=True)
        .exclude(campus__institution_code="")
    )
