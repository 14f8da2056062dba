"""Patients as doers."""

from __future__ import annotations

from core.actors import Actor, ActorKind
from core.models import User


def patient_actor(user: User) -> Actor:
    """A patient as a doer: the row's number, no name, since audit rows outlive accounts."""
    return _actor(user.pk)


def user_actor_key(user_id: int) -> str:
    """By what rows name a user as their doer."""
    return _actor(user_id).key


def _actor(user_id: int) -> Actor:
    return Actor(ActorKind.PATIENT, f"user-{user_id}")
