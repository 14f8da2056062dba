"""What a filing changes for prices made without it: they hold no more."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from core import clock
from core.failpoints import failpoint
from insurance.locks import claim_lock
from insurance.models import ClaimRoute, ClaimStatus, Filing, FilingStatus
from insurance.policy import POLICY
from insurance.services.claims.speaking import PRICEABLE, fields_write

KNOWN = frozenset({FilingStatus.FILED, FilingStatus.ENDED})


def follow_soon() -> dict[str, object]:
    """Written with what a filing became: if nobody follows it up, the sweeper does."""
    return {"due_at": clock.now() + timedelta(seconds=POLICY.sending_s)}


def filing_followed(row: Filing) -> Filing:
    """Tell whoever prices the patient's bills that a filing began or ceased to stand
    (`settings.FILING_FOLLOWERS`). After the commit, not inside a transaction; safe to repeat."""
    if row.status not in KNOWN or row.due_at is None:
        return row
    failpoint("filing.before_followed")
    for path in settings.FILING_FOLLOWERS:
        import_string(path)(patient_id=row.patient_id)
    failpoint("filing.after_followed")
    # One that is being taken back meanwhile has a time of its own.
    same = Filing.objects.filter(pk=row.pk, status=row.status, due_at=row.due_at)
    if same.update(due_at=None):
        row.due_at = None
    return row


def claim_price_over(*, claim_id: int) -> None:
    """The trial of a claim holds no more, and one that is under way in the hall is not believed.
    In the caller's transaction."""
    claim = claim_lock(claim_id)
    if claim.status not in PRICEABLE:
        return
    values: dict[str, object] = {}
    if claim.status == ClaimStatus.PRICED:
        values["valid_until"] = clock.now()
    if claim.route == ClaimRoute.FSI:
        values["attempt"] = claim.attempt + 1
    if values:
        fields_write(claim, **values)
