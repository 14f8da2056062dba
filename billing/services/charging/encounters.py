"""What bills say about a visit: whether it may still change, and its cancelling."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from billing.locks.charges import charges_unbilled_locked
from billing.models import ChargeStatus, Invoice, InvoiceStatus
from core.actors import Actor
from core.errors import Conflict
from core.states import transition_all
from patients.models import Encounter, HisClient
from patients.services.encounters import (
    EncounterInput,
    EncounterRegistered,
    encounter_cancel,
    encounter_register,
)

# A bill that is none any more: nothing is owed by it and nothing kept for it.
_GONE = (InvoiceStatus.CANCELLED, InvoiceStatus.REFUNDED)


def encounter_open(
    *,
    client: HisClient,
    encounter_no: str,
    data: EncounterInput,
    by: Actor | None,
) -> EncounterRegistered:
    """Open or replace a visit; what its bills were made from stays as it is."""
    return encounter_register(
        client=client, encounter_no=encounter_no, data=data, by=by, billed=encounter_is_billed
    )


def encounter_is_billed(encounter: Encounter) -> bool:
    return encounter.invoices.exclude(status=InvoiceStatus.CANCELLED).exists()


def encounter_cancel_with_charges(
    *, client: HisClient, encounter_no: str, by: Actor, reason: str = ""
) -> Encounter:
    """Cancel a visit (退号) with its unbilled charges."""
    with transaction.atomic():
        encounter = encounter_cancel(
            client=client,
            encounter_no=encounter_no,
            by=by,
            reason=reason,
            refuse_if_billed=_refuse_if_billed,
        )
        charges = charges_unbilled_locked(encounter)
        transition_all(charges, ChargeStatus.CANCELLED, by=by, reason="visit cancelled")
        return encounter


def _refuse_if_billed(encounter: Encounter) -> None:
    open_bill: Invoice | None = encounter.invoices.exclude(status__in=_GONE).first()
    if open_bill is None:
        return
    if open_bill.status in Invoice.PAID_ONCE:
        message = _("Bill %(no)s is paid: return it first.") % {"no": open_bill.invoice_no}
    else:
        message = _("Bill %(no)s is open: cancel it first.") % {"no": open_bill.invoice_no}
    raise Conflict("visit_billed", message, "encounter_no")
