"""Who did it. Every state change and audit row names one actor.

An actor is a value, not a row: a channel's notice and a beat job act too, and a person who left
must stay readable in the timeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CODE_LENGTH_MAX = 64
NAME_LENGTH_MAX = 100


class ActorKind(StrEnum):
    """The five kinds of doers."""

    STAFF = "staff"
    PATIENT = "patient"
    HIS = "his"
    CHANNEL = "channel"
    SYSTEM = "system"


_KINDS = frozenset(kind.value for kind in ActorKind)


@dataclass(frozen=True, slots=True)
class Actor:
    """A doer: `code` is stable and unique within the kind, `name` is what people read."""

    kind: str
    code: str
    name: str = ""

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"unknown kind of actor: {self.kind!r}")
        if not 0 < len(self.code) <= CODE_LENGTH_MAX:
            raise ValueError("an actor needs a code of 1 to 64 characters")
        if len(self.name) > NAME_LENGTH_MAX:
            raise ValueError("an actor's name has at most 100 characters")

    @property
    def key(self) -> str:
        """The stored form, `kind:code`; comparing two keys compares two doers."""
        return f"{self.kind}:{self.code}"


SYSTEM = Actor("system", "system", "")
