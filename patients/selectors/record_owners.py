"""Whose word about a person counts: which HIS client told it, and who relies on it."""

from __future__ import annotations

from django.db.models import Q

from patients.models import HisClient, IdentifierKind, Patient, PatientAccess


def record_told_by(*, patient: Patient, teller_id: int | None, client: HisClient) -> bool:
    """Whether this client told it; what was recorded before that was written down is told by the
    only client that knows the person."""
    if teller_id is not None:
        return teller_id == client.pk
    numbers = patient.identifiers.filter(kind=IdentifierKind.MRN)
    return not numbers.exclude(client=client).exists()


def record_held(patient: Patient) -> bool:
    """By an account of their own or a relative's, by one of a ward, or of the guardian on record:
    a child's code goes to the guardian's phone, and its messages to the guardian's account."""
    people = Q(patient=patient) | Q(patient__guardian=patient)
    if patient.guardian_id is not None:
        people |= Q(patient=patient.guardian_id)
    return PatientAccess.objects.live().filter(people).exists()
