"""Which filings the house takes, and what is known to stand for a person. Reading questions only.

A region says in its configuration which ways of being treated here (`FilingWay`) it files, under
which code and for how long. Where a filing cannot be asked about afterwards none is offered: one
whose answer is lost could never be known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils.functional import Promise

from core import clock
from insurance.areas import area_name
from insurance.gateway.base import GatewayStyle
from insurance.gateway.profile import PATHS
from insurance.models import (
    Claim,
    ClaimStatus,
    Coverage,
    Entitlement,
    Filing,
    FilingKind,
    FilingStatus,
    FilingWay,
    Institution,
    InsuranceRegion,
)
from insurance.selectors import coverage_choose

AWAY_CODES, CHRONIC_CODES = ("2501", "2502", "5304"), ("2503", "2504", "5301")
SHOWN_MAX = 10
DAYS_MAX, CODE_MAX = 3_660, 30


@dataclass(frozen=True, slots=True)
class Way:
    """One way of being treated here: the region's code, and how many days it is filed for."""

    way: FilingWay
    code: str
    days: int

    def until(self, begun: date) -> date:
        """The last day of a filing that begins then."""
        return begun + timedelta(days=self.days - 1)


@dataclass(frozen=True, slots=True)
class PersonRights:
    """What is known of one person: coverages, what stands at the insurer, what was filed here."""

    place: Institution
    coverages: tuple[Coverage, ...]
    entitlements: tuple[Entitlement, ...]
    filings: tuple[Filing, ...]

    @property
    def coverage(self) -> Coverage | None:
        """The one a bill would be settled by."""
        return coverage_choose(self.coverages, "")

    @property
    def asked_at(self) -> datetime | None:
        """When the insurer was last asked who this is; None: never."""
        return max((row.checked_at for row in self.coverages), default=None)

    @property
    def home(self) -> str:
        """Where the person is insured, in words."""
        return area_name(self.coverage.insured_area) if self.coverage else ""

    @property
    def away(self) -> bool:
        """Whether care here is care in another place."""
        return self.coverage is not None and is_away(self.coverage.insured_area, self.place.region)

    @property
    def filed(self) -> Entitlement | None:
        """The filing by which care here is paid in full today."""
        today, area = clock.today(), self.place.region.area
        return next(
            (
                row
                for row in self.entitlements
                if row.kind == FilingKind.AWAY and row.stands_on(today) and covers(row, area)
            ),
            None,
        )

    @property
    def running(self) -> Filing | None:
        """A filing whose end is not known."""
        return next((row for row in self.filings if row.status in Filing.IN_DOUBT), None)

    @property
    def fileable(self) -> bool:
        """Whether care here can be filed now."""
        unfiled = self.away and self.filed is None and self.running is None
        return unfiled and files_away(self.place.region)

    @property
    def diseases(self) -> tuple[Entitlement, ...]:
        """Chronic and special diseases that stand today."""
        today = clock.today()
        rows = (row for row in self.entitlements if row.kind == FilingKind.CHRONIC)
        return tuple(row for row in rows if row.stands_on(today))


def rights_of(patient_id: int, place: Institution) -> PersonRights:
    """Three statements, whatever is known."""
    coverages = Coverage.objects.filter(patient=patient_id).order_by("scheme", "insured_area")
    standing = Entitlement.objects.filter(patient=patient_id).order_by("kind", "code", "pk")
    filings = Filing.objects.filter(patient=patient_id).order_by("-pk")[:SHOWN_MAX]
    return PersonRights(place, tuple(coverages), tuple(standing), tuple(filings))


def ways_of(region: InsuranceRegion) -> tuple[Way, ...]:
    """The ways a region files; what is no way is passed over here and named by a system check."""
    rows = region.filing_ways if isinstance(region.filing_ways, list) else []
    return tuple(way for row in rows if (way := way_read(row)) is not None)


def way_read(row: object) -> Way | None:
    """One way of the configuration; None when it is none."""
    if not isinstance(row, Mapping):
        return None
    way, code, days = row.get("way"), row.get("code"), row.get("days")
    known = way in FilingWay.values and isinstance(code, str) and 0 < len(code) <= CODE_MAX
    if not known or type(days) is not int or not 0 < days <= DAYS_MAX:
        return None
    return Way(FilingWay(str(way)), str(code), days)


def files_away(region: InsuranceRegion) -> bool:
    """Whether care here can be filed, and asked about afterwards."""
    return bool(ways_of(region)) and reachable(region, AWAY_CODES)


def reachable(region: InsuranceRegion, codes: Collection[str]) -> bool:
    """Whether the region's gateway has an address for each of these transactions."""
    if region.style != GatewayStyle.PATH_KEY:
        return True
    return all(code in region.paths or code in PATHS for code in codes)


def is_away(insured_area: str, region: InsuranceRegion) -> bool:
    """Whether somebody insured there is treated in another place here: another pool."""
    return insured_area[:4] != region.area[:4]


def covers(row: Entitlement, area: str) -> bool:
    """Whether a filing is for this place: by its own number, its city's, its province's, or any."""
    return row.care_area in {area, f"{area[:4]}00", f"{area[:2]}0000", ""}


def rights_place() -> Institution | None:
    """The place the house asks by about a person's rights, one that files before one that does
    not; None where nothing is insured."""
    rows = (
        Institution.objects.select_related("campus", "region")
        .filter(active=True, region__active=True)
        .exclude(campus__institution_code="")
        .order_by("pk")
    )
    places = list(rows)
    return next((one for one in places if files_away(one.region)), places[0] if places else None)


def what_of(row: Filing) -> str | Promise:
    """What was filed: the disease, or why here."""
    away = row.kind == FilingKind.AWAY and row.name in FilingWay.values
    return FilingWay(row.name).label if away else row.name


def filing_of(filing_id: int, patient_ids: Collection[int]) -> Filing | None:
    """A filing of one of these people."""
    rows = Filing.objects.select_related("patient", "institution__region")
    return rows.filter(pk=filing_id, patient_id__in=patient_ids).first()


def bills_hang_on(row: Filing) -> bool:
    """Whether money may be affected by how a filing ended: the patient has a bill at the insurer
    now, or one was priced or settled there since the filing was asked for."""
    claims = Claim.objects.filter(patient=row.patient_id, status__in=Claim.STANDING)
    since = Q(created_at__gte=row.created_at) | Q(settled_at__gte=row.created_at)
    return claims.filter(since | ~Q(status=ClaimStatus.SETTLED)).exists()


def filing_standing(patient_id: int, kind: FilingKind, code: str, day: date) -> Filing | None:
    """A filing made here that holds on a day: of that disease, or of care here by any way."""
    rows = Filing.objects.filter(
        patient=patient_id,
        kind=kind,
        status=FilingStatus.FILED,
        from_day__lte=day,
        until_day__gte=day,
    )
    if kind is FilingKind.CHRONIC:
        rows = rows.filter(code=code)
    return rows.order_by("-pk").first()
