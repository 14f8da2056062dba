"""The boundary of every wallet that vouches for its user. Adapters read no table.

A door leads the browser to the wallet's page with our state, and changes what comes back for the
user's id, once. Whatever else it answers is a `Refusal` with a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from django.utils.translation import gettext_lazy as _

from core.errors import Refusal


class DoorRefused(Refusal):
    """The wallet did not say who this is."""


class DoorSilent(Refusal):
    """The wallet's server did not answer; the visitor's code may be used up."""

    status: ClassVar[int] = 503


@dataclass(frozen=True, slots=True)
class Identity:
    """A user's id at one app of a channel; never compared across apps."""

    channel: str
    app_id: str
    subject: str


class Door(Protocol):
    """One wallet. `answer_name` is the query parameter its page brings the code back in."""

    channel: ClassVar[str]
    answer_name: ClassVar[str]
    app_id: str

    def leave_for(self, *, back: str, state: str) -> str: ...
    def identity(self, *, code: str, reference: str) -> Identity: ...


DoorConfig = Mapping[str, str]


def refused() -> DoorRefused:
    return DoorRefused(
        "wallet_refused", _("The wallet did not confirm who you are. Start again, or use a phone.")
    )


def silent() -> DoorSilent:
    return DoorSilent(
        "wallet_silent", _("The wallet does not answer just now. Sign in with a phone instead.")
    )
