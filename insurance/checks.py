"""System checks: what is told an insurer is complete, and in production it is the real one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import OperationalError, ProgrammingError

from core.checks import is_made_up
from core.crypto import DecryptionError
from core.web_addresses import unreal_fault
from insurance.filings import AWAY_CODES, reachable, way_read
from insurance.gateway.base import Operation, RegionProfile
from insurance.gateway.profile import MOBILE_SECRETS, STYLE_SECRETS
from insurance.models import Institution, InsuranceRegion
from insurance.selectors import RegionSecretsUnreadable, region_profile
from insurance.services.exchange import GATEWAYS

INSTITUTION_CODE = re.compile(r"[HP][0-9]{11}")


@register()
def gateways_check(
    app_configs: Sequence[AppConfig] | None, **_options: object
) -> list[CheckMessage]:
    """Every operation belongs to one gateway, which says what no answer means."""
    named = [operation for gateway in GATEWAYS for operation in gateway.unanswered]
    twice = sorted({one for one in named if named.count(one) > 1})
    silent = sorted(set(Operation) - set(named))
    return [
        *(Error(f"two gateways claim {one.value}", id="insurance.E001") for one in twice),
        *(Error(f"unanswered says nothing of {one.value}", id="insurance.E002") for one in silent),
    ]


@register(Tags.database)
def regions_check(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **_options: object,
) -> list[CheckMessage]:
    """Before a patient stands there: secrets are complete and no region is the sandbox's."""
    if not databases:
        return []
    try:
        regions = InsuranceRegion.objects.filter(active=True).order_by("pk")
        messages = [message for region in regions for message in _region(region)]
        institutions = Institution.objects.filter(active=True).select_related("campus", "region")
        return [*messages, *(one for row in institutions for one in _institution(row))]
    except (OperationalError, ProgrammingError):
        return []  # away, which `core.checks` says, or before the first migration
    except DecryptionError as error:
        return [Error(f"the database was written with another key: {error}", id="insurance.E007")]


def _region(region: InsuranceRegion) -> Iterator[CheckMessage]:
    try:
        profile = region_profile(region)
    except RegionSecretsUnreadable as error:
        yield Error(str(error), id="insurance.E003")
        return
    needed = [*STYLE_SECRETS[profile.style], *(MOBILE_SECRETS if profile.mobile_url else ())]
    for name in needed:
        if not profile.secrets.get(name):
            yield Error(f"region {region}: secret {name} is missing", id="insurance.E004")
    if not isinstance(region.med_types, list) or not region.med_types:
        yield Error(f"region {region}: it names no kind of care", id="insurance.E005")
    ways = region.filing_ways
    if not isinstance(ways, list) or not all(way_read(one) for one in ways):
        yield Error(f"region {region}: a way of filing cannot be read", id="insurance.E009")
    elif ways and not reachable(region, AWAY_CODES):
        yield Error(
            f"region {region}: it files care here, but has no paths of it",
            hint="Paths of 2501, 2502 and 5304: what cannot be asked about is not filed.",
            id="insurance.E010",
        )
    if settings.PRODUCTION:
        yield from _made_up(region, profile)


def _made_up(region: InsuranceRegion, profile: RegionProfile) -> Iterator[CheckMessage]:
    addresses = {
        "base_url": profile.base_url,
        "mobile_url": profile.mobile_url,
        "credential_url": profile.credential_url,
        "wallet_url": region.wallet_url,
        "authorise_url": region.authorise_url,
    }
    for name, address in addresses.items():
        fault = unreal_fault(address) if address else ""
        if fault:
            yield Error(f"region {region}: its {name} {fault}", id="insurance.E006")
    for name in sorted(name for name, value in profile.secrets.items() if is_made_up(value)):
        yield Error(f"region {region}: {name} is a demo's", id="insurance.E006")


def _institution(row: Institution) -> Iterator[CheckMessage]:
    code = row.campus.institution_code
    if not INSTITUTION_CODE.fullmatch(code):
        yield Error(
            f"institution {row}: its campus bears no code of the insurer ({code!r})",
            hint="H or P and eleven digits, on the campus.",
            id="insurance.E008",
        )
