"""What is to be known of a claim's lines although it keeps the insurer from nothing."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from insurance.filings import PersonRights, rights_of
from insurance.models import Claim, ClaimLine
from insurance.services.claims.frozen import line_thawed
from insurance.services.preconditions import lines_check

CHRONIC = "14"


def claim_warnings(*, claim_id: int) -> list[str]:
    """Sentences for whoever issued the bill, while the patient can still be told: a price above the
    insurer's limit is paid by the patient, care here is not filed, a disease that is filed is not
    the one the bill names. A constant number of statements, however many lines."""
    beside = ClaimLine.objects.filter(claim=claim_id).select_related("claim__institution__region")
    rows = list(beside.order_by("pk"))
    if not rows:
        return []
    claim = rows[0].claim
    lines = [line_thawed(row) for row in rows]
    faults = lines_check(institution=claim.institution, lines=lines, at=claim.created_at)
    prices = [fault.message for fault in faults if not fault.refuses]
    return [*prices, *_of_filings(claim, rights_of(claim.patient_id, claim.institution))]


def _of_filings(claim: Claim, rights: PersonRights) -> Iterator[str]:
    """By what the insurer last told: nothing is asked here."""
    if rights.away and rights.filed is None:
        yield _(
            "The patient is insured in %(place)s and care here is not filed: the fund pays less. "
            "It can be filed on the phone or at the window before the bill is settled."
        ) % {"place": rights.home}
    named = claim.disease_code if claim.med_type.startswith(CHRONIC) else ""
    diseases = rights.diseases
    if diseases and named not in {row.code for row in diseases}:
        filed = "、".join(f"{row.name} {row.code}".strip() for row in diseases)
        yield _("The patient is filed for %(diseases)s; this bill does not name it.") % {
            "diseases": filed
        }
