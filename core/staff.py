"""A member of staff as an actor, and where the request came from: what every audit row names."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

from core.actors import CODE_LENGTH_MAX, NAME_LENGTH_MAX, Actor, ActorKind
from core.models import User


def staff_actor(user: User) -> Actor:
    """The doer behind a login. A name too long for a code is replaced by the row's number."""
    username = user.get_username()
    code = username if len(username) <= CODE_LENGTH_MAX else f"user-{user.pk}"
    name = (user.get_full_name() or username)[:NAME_LENGTH_MAX]
    return Actor(ActorKind.STAFF, code, name)


def peer_address(request: HttpRequest) -> str:
    """The peer; behind one of our own proxies, whom that one reports last. Empty if unreadable."""
    peer = _valid(str(request.META.get("REMOTE_ADDR") or ""))
    proxies = [ipaddress.ip_network(one, strict=False) for one in settings.TRUSTED_PROXIES]
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "")
    if peer and forwarded and any(ipaddress.ip_address(peer) in one for one in proxies):
        return _valid(forwarded.rpartition(",")[2].strip())
    return peer


def _valid(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""
