"""Reading questions: who speaks to the insurer for a campus, and what was said about a subject."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models import Value as Constant
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from core import clock
from core.errors import NotOffered
from core.prepared import PreparedQuery
from core.review import ReviewStatus
from insurance.gateway.base import (
    GatewayStyle,
    Operation,
    Operator,
    RegionProfile,
    Site,
    TimestampForm,
)
from insurance.gateway.visit_values import Scheme
from insurance.models import (
    Claim,
    Coverage,
    Institution,
    InsuranceMessage,
    InsuranceRegion,
    InsuranceReview,
    InsuranceSession,
    InsuredVisit,
)

PREFERRED = (Scheme.EMPLOYEE.value, Scheme.RESIDENT.value)


class RegionSecretsUnreadable(ValueError):
    """What is stored as a region's secrets is no object of texts. It is never quoted."""


def institution_of(campus_id: int) -> Institution:
    """The campus at the insurer, with its region and today's sign-in number; one statement."""
    found = (
        _institutions(clock.today())
        .filter(campus_id=campus_id, active=True, region__active=True)
        .exclude(campus__institution_code="")
        .first()
    )
    if found is None:
        raise NotOffered("not_insured_here", _("This place has no contract with the insurer."))
    return found


def institution_speaking(institution_id: int) -> Institution:
    """An institution for what was already begun there, even if its contract has ended since."""
    found = _speaking(clock.today(), institution_id)
    if not found:
        raise Institution.DoesNotExist(f"institution {institution_id}")
    return found[0]


def _institutions(today: date) -> QuerySet[Institution]:
    session = InsuranceSession.objects.filter(
        institution=OuterRef("pk"), operator_code=OuterRef("operator_code"), day=today
    )
    return Institution.objects.select_related("campus", "region").annotate(
        sign_no=Coalesce(Subquery(session.values("sign_no")[:1]), Constant(""))
    )


_speaking = PreparedQuery(
    lambda today, institution_id: _institutions(today).filter(pk=institution_id), date, int
)


def site_of(institution: Institution) -> Site:
    """What the adapters must know of an institution."""
    return Site(
        institution_code=institution.campus.institution_code,
        institution_name=institution.name,
        region=region_profile(institution.region),
        operator=Operator(
            institution.operator_kind, institution.operator_code, institution.operator_name
        ),
        sign_no=getattr(institution, "sign_no", ""),
    )


def region_profile(region: InsuranceRegion) -> RegionProfile:
    """A region as the adapters see it; raises RegionSecretsUnreadable."""
    return RegionProfile(
        area=region.area,
        style=GatewayStyle(region.style),
        base_url=region.base_url,
        receiver_code=region.receiver_code,
        interface_version=region.interface_version,
        sign_type=region.sign_type,
        fund_includes_account=region.fund_includes_account,
        med_types=tuple(region.med_types),
        mobile_url=region.mobile_url,
        mobile_version=region.mobile_version,
        mobile_timestamp=TimestampForm(region.mobile_timestamp),
        credential_url=region.credential_url,
        lines_per_call=region.lines_per_call,
        paths=MappingProxyType(dict(region.paths)),
        nothing_texts=tuple(region.nothing_texts),
        secrets=_secrets(region),
    )


def message_last(subject: str, operation: Operation) -> InsuranceMessage | None:
    """The newest message of this kind about a subject: the one a reversal would name.

    It is there even if the process died before the send, so nobody settles twice after a crash.
    """
    return next(iter(_last(subject, operation.value)), None)


_last = PreparedQuery(
    lambda subject, operation: InsuranceMessage.objects.filter(
        subject=subject, operation=operation
    ).order_by("-id")[:1],
    str,
    str,
)


def claim_bill(claim_id: int) -> int:
    """The bill of a claim: billing's key of it (`invoice_ref`)."""
    return Claim.objects.values_list("invoice_ref", flat=True).get(pk=claim_id)


def claim_of_bill(invoice_ref: int) -> Claim | None:
    """The newest claim of a bill: the one that stands, or the last that ended."""
    return (
        Claim.objects.select_related("coverage", "visit")
        .filter(invoice_ref=invoice_ref)
        .order_by("-id")
        .first()
    )


def coverage_choose(rows: Sequence[Coverage], insured_area: str) -> Coverage | None:
    """Only what holds; of the place the code names, then the employees' before the residents'."""
    usable = [row for row in rows if row.active and row.scheme in PREFERRED]
    home = [row for row in usable if row.insured_area == insured_area]
    ranked = sorted(home or usable, key=lambda row: PREFERRED.index(row.scheme))
    return ranked[0] if ranked else None


def claim_message_numbers(claim: Claim, operation: Operation) -> set[str]:
    """Every number a claim was ever settled or reversed under."""
    rows = InsuranceMessage.objects.filter(subject=claim.subject, operation=operation.value)
    return set(rows.values_list("message_no", flat=True))


def reviews_waiting() -> int:
    """How many questions about claims wait; a partial index counts them."""
    return InsuranceReview.objects.filter(status=ReviewStatus.OPEN).count()


def visit_living(claim: Claim) -> InsuredVisit | None:
    """A registration this claim may use: of its care, its proof still good, not taken back."""
    rows = _living(claim.encounter_id, claim.institution_id, claim.med_type, claim.disease_code)
    now = clock.now()
    by_number = claim.mdtrt_id if claim.visit_id is None else ""
    usable = (row for row in rows if row.expires_at > now and by_number in ("", row.mdtrt_id))
    return next(usable, None)


_living = PreparedQuery(
    lambda encounter, institution, med_type, disease: (
        InsuredVisit.objects.select_related("coverage")
        .filter(
            encounter=encounter,
            institution=institution,
            med_type=med_type,
            disease_code=disease,
            held=True,
            cancelled_at=None,
        )
        .order_by("-id")
    ),
    int,
    int,
    str,
    str,
)


def _secrets(region: InsuranceRegion) -> Mapping[str, str]:
    if not region.secrets:
        return MappingProxyType({})
    try:
        secrets = json.loads(region.secrets)
    except (ValueError, RecursionError):
        # The cause would carry the whole text.
        raise RegionSecretsUnreadable(f"region {region}: its secrets are no JSON") from None
    if not isinstance(secrets, dict) or not all(isinstance(one, str) for one in secrets.values()):
        raise RegionSecretsUnreadable(f"region {region}: its secrets are no object of texts")
    return MappingProxyType(secrets)
