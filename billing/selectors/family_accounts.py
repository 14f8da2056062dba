"""Why the insurance account of who reads a relative's bill does not pay for it."""

from __future__ import annotations

from collections.abc import Sequence

from billing.models import Invoice, InvoiceStatus
from billing.selectors.phone_ways import guardian_of
from core import clock
from core.errors import NotOffered
from insurance.family import KINSHIPS, rule_at, sentences_of
from insurance.models import Claim
from patients.models import PatientAccess, Relation

NOT_FILED = ("no_family_account",)


def account_refused(invoice: Invoice, access: PatientAccess | None) -> tuple[str, ...]:
    """Every condition that was missed when the bill was priced, each in its own sentence; nothing
    where the account pays, where nobody asked, or where nothing is to pay any more."""
    if access is None or access.relation not in KINSHIPS or not access.may_pay:
        return ()
    if invoice.status != InvoiceStatus.ISSUED or invoice.claim_id is None or invoice.unpriced:
        return ()
    claim = Claim.objects.select_related("institution__region").get(pk=invoice.claim_id)
    own = guardian_of(access)
    if own is None or not claim.institution.region.family_accounts:
        return ()
    codes = _missed(claim, own.pk, child=access.relation == Relation.CHILD)
    if not codes:
        return ()
    try:
        rule = rule_at(claim.institution, clock.today())
    except NotOffered:
        return ()
    return tuple(sentences_of(codes, rule))


def _missed(claim: Claim, payer_id: int, *, child: bool) -> Sequence[str]:
    """As the insurer was asked before the trial. A guardian who has filed nothing misses that."""
    for one in claim.family_missed:
        if one["payer"] == payer_id:
            return [str(code) for code in one["missed"]]
    return NOT_FILED if child else ()
