"""Who calls: a token per HIS, the addresses it may come from, and what it may do."""

from __future__ import annotations

import hmac
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from core.web_addresses import address_within, peer_address
from patients.models import HisClient
from patients.services.places import token_digest

TOKEN_LENGTH_MAX = 200
SCOPES = ("read", "write", "money")


class HisTokenAuthentication(BaseAuthentication):
    """`Authorization: Token …`; the client is in `request.auth`, there is no user."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, HisClient] | None:
        parts = get_authorization_header(request).split()
        if not parts:
            return None
        if parts[0].lower() != b"token" or len(parts) != 2:  # noqa: PLR2004
            raise AuthenticationFailed(_("Send Authorization: Token and the token."))
        client = _client(parts[1])
        address = peer_address(request)
        if not _address_allowed(client, address):
            raise PermissionDenied(_("This token is not valid from %s.") % address)
        return AnonymousUser(), client

    def authenticate_header(self, request: Request) -> str:
        return "Token"


def _client(raw: bytes) -> HisClient:
    """The active client of a token. The digest is looked up, then compared in constant time."""
    if len(raw) <= TOKEN_LENGTH_MAX and raw.isascii():
        digest = token_digest(raw.decode("ascii"))
        client = HisClient.objects.filter(token_digest=digest, active=True).first()
        if client is not None and hmac.compare_digest(client.token_digest, digest):
            return client
    raise AuthenticationFailed(_("This token is not known."))


def _address_allowed(client: HisClient, address: str) -> bool:
    return not client.addresses or address_within(address, client.addresses)


class HasScope(BasePermission):
    """The view says which scope a method needs; an empty list of scopes allows nothing."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, HisClient):
            return False
        needed = view.scope_of(request.method)
        if needed not in request.auth.scopes:
            raise PermissionDenied(_("This token lacks the scope %s.") % needed)
        return True


def client_of(request: Request) -> HisClient:
    """The HIS behind a request that passed `HasScope`."""
    assert isinstance(request.auth, HisClient)
    return request.auth
