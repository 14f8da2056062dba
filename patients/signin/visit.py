"""What a browser's session holds between the questions of a sign-in.

No phone, no code and no wallet id lie in it legibly: the phone is behind the number of its code,
the wallet's id is encrypted. Everything ends after minutes, and is taken out when it is used.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from core import clock
from core.crypto import decrypt, encrypt
from patients.signin.base import Identity

_CODE, _STATE, _IDENTITY, _NEXT = "sign_in_code", "sign_in_state", "sign_in_wallet", "sign_in_next"
STATE_LIFETIME = timedelta(minutes=10)
IDENTITY_LIFETIME = timedelta(minutes=15)
PHONE = "phone"  # what a code that came back proves
PROOF_LIFETIME = timedelta(minutes=10)
_CONTEXT = "session.sign_in_wallet"


@dataclass(frozen=True, slots=True)
class OAuthState:
    """What was given along to a wallet's page."""

    door: str
    value: str
    next: str
    at: str


def code_keep(request: HttpRequest, code_id: int, purpose: str = "sign_in") -> None:
    """Remember which code this browser asked for; 0 forgets it."""
    request.session[f"{purpose}_code"] = code_id


def code_of(request: HttpRequest, purpose: str = "sign_in") -> int:
    """The number of the code this browser asked for; 0 without one."""
    kept = request.session.get(f"{purpose}_code", 0)
    return kept if isinstance(kept, int) else 0


def proof_keep(request: HttpRequest, name: str, fact: object = True) -> None:
    """Something this browser has just proven, for the next question and a few minutes."""
    request.session[f"proof_{name}"] = {"at": clock.now().isoformat(), "fact": fact}


def proof_of(request: HttpRequest, name: str) -> Any:
    """What was proven a moment ago; None without it."""
    kept: Any = request.session.get(f"proof_{name}")
    try:
        fresh = clock.now() - datetime.fromisoformat(kept["at"]) <= PROOF_LIFETIME
    except (TypeError, ValueError, KeyError):
        return None
    return kept["fact"] if fresh else None


def proof_forget(request: HttpRequest, name: str) -> None:
    request.session.pop(f"proof_{name}", None)


def next_keep(request: HttpRequest, wanted: str) -> None:
    """Where this visit wants to go; an older wish ends."""
    request.session[_NEXT] = wanted


def state_make(request: HttpRequest, door: str, wanted: str) -> str:
    """A new state for this browser; an older one ends."""
    value = secrets.token_urlsafe(32)
    state = OAuthState(door, value, wanted, clock.now().isoformat())
    request.session[_STATE] = asdict(state)
    return value


def state_take(request: HttpRequest, door: str, given: str) -> OAuthState | None:
    """The state this browser left with, once; None for any other, however it came here."""
    kept: Any = request.session.pop(_STATE, None)
    try:
        state = OAuthState(**kept)
        fresh = clock.now() - datetime.fromisoformat(state.at) <= STATE_LIFETIME
    except (TypeError, ValueError):
        return None
    right = state.door == door and constant_time_compare(state.value, given)
    return state if right and fresh else None


def identity_keep(request: HttpRequest, identity: Identity) -> None:
    """Keep who the wallet says this is until a phone says it too."""
    text = json.dumps(asdict(identity) | {"at": clock.now().isoformat()})
    request.session[_IDENTITY] = encrypt(text, context=_CONTEXT)


def identity_of(request: HttpRequest) -> Identity | None:
    """The wallet this browser came with, while it is fresh."""
    kept = request.session.get(_IDENTITY)
    if not isinstance(kept, str) or not kept:
        return None
    data = json.loads(decrypt(kept, context=_CONTEXT))
    if clock.now() - datetime.fromisoformat(data.pop("at")) > IDENTITY_LIFETIME:
        identity_forget(request)
        return None
    return Identity(**data)


def identity_forget(request: HttpRequest) -> None:
    request.session.pop(_IDENTITY, None)


def finish(request: HttpRequest) -> str:
    """Take everything out; where the visitor wanted to go, or empty."""
    for name in (_CODE, _STATE, _IDENTITY, f"proof_{PHONE}"):
        request.session.pop(name, None)
    wanted = request.session.pop(_NEXT, "")
    return wanted if isinstance(wanted, str) else ""
