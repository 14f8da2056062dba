"""A member of staff as an actor: what every audit row names."""

from __future__ import annotations

from core.actors import CODE_LENGTH_MAX, NAME_LENGTH_MAX, Actor, ActorKind
from core.models import User


def staff_actor(user: User) -> Actor:
    """The doer behind a login. A name too long for a code is replaced by the row's number."""
    username = user.get_username()
    code = username if len(username) <= CODE_LENGTH_MAX else f"user-{user.pk}"
    name = (user.get_full_name() or username)[:NAME_LENGTH_MAX]
    return Actor(ActorKind.STAFF, code, name)
