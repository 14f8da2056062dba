"""A claim begins: its lines are frozen, its route fixed, before anything is said to the insurer."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from core import clock
from core.actors import Actor
from core.errors import BadInput, Conflict
from core.ids import business_number
from core.prepared import row_insert_new
from insurance.gateway.claim_values import ChargeLine
from insurance.gateway.nhsa.wire import plain
from insurance.models import Claim, ClaimLine, ClaimRoute, ClaimStatus, Institution
from insurance.selectors import institution_of
from insurance.services.claims.frozen import line_frozen
from insurance.services.preconditions import lines_coded
from patients.models import Encounter

LINES_MAX = 2000
QUANTITY_PLACES, PRICE_PLACES = 4, 6


def claim_open(
    *,
    invoice_ref: int,
    encounter: Encounter,
    lines: Sequence[ChargeLine],
    med_type: str,
    by: Actor,
    disease_code: str = "",
    mdtrt_id: str = "",
    use_account: bool = True,
    route: ClaimRoute = ClaimRoute.FSI,
) -> Claim:
    """Open the claim of a bill, in the caller's transaction; four statements, however many lines.

    `mdtrt_id` is given when the HIS registered the visit at the insurer itself. Raises NotOffered
    where the campus has no contract, BadInput for what the wire cannot say, Conflict when a line
    misses a precondition (`preconditions.lines_coded`: every line named), and Conflict
    (`claim_stands`) when a claim of this bill stands: the database refuses a second one.
    """
    institution = institution_of(encounter.campus_id)
    _care_check(institution, med_type, disease_code)
    _lines_check(lines, disease_code)
    now = clock.now()
    lines = lines_coded(institution=institution, lines=lines, at=now)
    claim = Claim(
        invoice_ref=invoice_ref,
        encounter=encounter,
        patient_id=encounter.patient_id,
        institution=institution,
        route=route,
        status=ClaimStatus.OPEN,
        amount_fen=sum(line.amount_fen for line in lines),
        med_type=med_type,
        disease_code=disease_code,
        use_account=use_account,
        mdtrt_id=mdtrt_id,
        batch_no=business_number("CB"),
        opened_by=by.key,
        occurred_at=now,
        created_at=now,
    )
    if not row_insert_new(claim):
        raise Conflict("claim_stands", _("The insurance is already being asked about this bill."))
    ClaimLine.objects.bulk_create(
        ClaimLine(
            claim=claim,
            number=f"{claim.pk}-{place}",
            charge_no=line.number,
            amount_fen=line.amount_fen,
            said=line_frozen(line),
        )
        for place, line in enumerate(lines, 1)
    )
    return claim


def _care_check(institution: Institution, med_type: str, disease_code: str) -> None:
    """A kind of care the region settles; sub-codes (140104) belong to their kind (14)."""
    if not any(med_type.startswith(known) for known in institution.region.med_types):
        raise BadInput(
            "med_type_unknown",
            _("The insurer does not settle this kind of care here: %(code)s") % {"code": med_type},
            "med_type",
        )
    if med_type.startswith("14") and not disease_code:
        raise BadInput(
            "disease_missing",
            _("Care for a chronic disease names the disease."),
            "disease_code",
        )


def _lines_check(lines: Sequence[ChargeLine], disease_code: str) -> None:
    if not 0 < len(lines) <= LINES_MAX:
        raise BadInput("lines_missing", _("There is nothing to claim."), "lines")
    if len({line.number for line in lines}) != len(lines):
        raise BadInput("lines_twice", _("A charge stands twice in the claim."), "lines")
    for line in lines:
        if line.amount_fen <= 0 or line.quantity <= 0 or line.unit_price < 0:
            raise BadInput(
                "line_amount",
                _("A charge of the claim has no positive amount: %(name)s") % {"name": line.name},
                "lines",
            )
        if line.disease_code not in ("", disease_code):
            raise BadInput(
                "line_disease",
                _("All charges of a claim are for one disease: %(name)s") % {"name": line.name},
                "lines",
            )
        _decimals_check(line)


def _decimals_check(line: ChargeLine) -> None:
    """What the wire cannot hold is refused before anything is said."""
    try:
        plain(line.quantity, QUANTITY_PLACES)
        plain(line.unit_price, PRICE_PLACES)
    except ValueError as error:
        raise BadInput(
            "line_decimals",
            _("The quantity or price of %(name)s has too many decimals.") % {"name": line.name},
            "lines",
        ) from error
