"""Locks of charges; the visit or the bill they belong to is locked already."""

from __future__ import annotations

from collections.abc import Sequence

from billing.models import ChargeItem, ChargeStatus, Invoice
from core.locking import lock_rows
from patients.models import Encounter, HisClient


def charges_locked(*, client: HisClient, charge_nos: Sequence[str]) -> list[ChargeItem]:
    """Charges by number; their visit is locked already."""
    return lock_rows(ChargeItem.objects.filter(client=client, charge_no__in=charge_nos))


def charges_unbilled_locked(encounter: Encounter) -> list[ChargeItem]:
    """What a locked visit has to bill."""
    return lock_rows(ChargeItem.objects.filter(encounter=encounter, status=ChargeStatus.UNBILLED))


def charges_of_invoice_locked(invoice: Invoice) -> list[ChargeItem]:
    """The charges frozen on a locked invoice."""
    return lock_rows(ChargeItem.objects.filter(invoice_lines__invoice=invoice))
