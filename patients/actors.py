"""Patients as doers."""

from __future__ import annotations

from core.actors import Actor, ActorKind
from core.models import User


def patient_actor(user: User) -> Actor:
    """A patient as a doer: the row's number, no name, since audit rows outlive accounts."""
    return Actor(ActorKind.PATIENT, f"user-{user.pk}")
