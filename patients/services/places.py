"""The hospital's places and the systems that speak for it, as its own file declares them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.actors import Actor
from core.declared import Change, row_declare
from core.errors import BadInput
from patients.models import Campus, HisClient

TOKEN_BYTES = 32
TOKEN_LENGTH_MIN = 32


@dataclass(frozen=True, slots=True)
class ClientSet:
    """What became of a client; `token` is one we made, and this is the only time it is known."""

    change: Change | None
    token: str = ""


def token_digest(token: str) -> str:
    """What the house keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def campus_set(*, code: str, values: Mapping[str, Any], by: Actor) -> Change | None:
    row = Campus.objects.filter(code=code).first() or Campus(code=code)
    return row_declare(row=row, code=code, values=values, by=by)


@transaction.atomic
def his_client_set(
    *,
    code: str,
    values: Mapping[str, Any],
    campuses: Iterable[str] | None = None,
    token: str = "",
    by: Actor,
) -> ClientSet:
    """Make or change a client. A new one without a token is given one; an old one keeps its own
    unless another is handed in. Never deleted: what it wrote stays readable, so it is disabled."""
    row = HisClient.objects.filter(code=code).first() or HisClient(code=code)
    made = secrets.token_urlsafe(TOKEN_BYTES) if row.pk is None and not token else ""
    given = dict(values)
    if token or made:
        given["token_digest"] = _digest(token or made)
    told = dict.fromkeys(("token_digest", "events_secret"), "replaced")
    url = given.get("events_url", row.events_url)
    if url and not given.get("events_secret", row.events_secret):
        message = _("Events are signed: events_url needs an events_secret.")
        raise BadInput("no_events_secret", message, "events_secret")
    related = None if campuses is None else {"campuses": [_campus(one) for one in campuses]}
    change = row_declare(row=row, code=code, values=given, related=related, told=told, by=by)
    return ClientSet(change, made)


def _digest(token: str) -> str:
    if len(token) < TOKEN_LENGTH_MIN or not token.isascii() or not token.isprintable():
        message = _("A token has 32 characters or more, of ASCII.")
        raise BadInput("weak_token", message, "token")
    return token_digest(token)


def _campus(code: str) -> Campus:
    row = Campus.objects.filter(code=code).first()
    if row is None:
        raise BadInput("unknown_campus", _("There is no campus %s.") % code, "campuses")
    return row
