"""Which addresses of other systems may stand in our configuration, and where a request came from.

A configured address is http or https with a host and without user or password, which would end in
logs. In production it leads neither to this machine nor to a sandbox. A request comes from its
peer; only a proxy of `TRUSTED_PROXIES` is believed when it names somebody else.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


def web_address_check(value: str) -> None:
    """Refuse what no call could be made to; a model's validator."""
    if address_fault(value):
        raise ValidationError(
            _("Give an http or https address without user and password."), code="bad_address"
        )


def address_fault(value: str) -> str:
    """What is wrong with an address, for whoever set it; empty when nothing is."""
    try:
        parts = urlsplit(value)
        _port = parts.port
    except ValueError:
        return "cannot be read"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "is not an http or https address"
    return "holds a user or password" if "@" in parts.netloc else ""


def unreal_fault(value: str) -> str:
    """Why an address must not stand in production; empty when it may."""
    fault = address_fault(value)
    if fault:
        return fault
    parts = urlsplit(value)
    host = (parts.hostname or "").rstrip(".")
    if host_is_local(host):
        return "leads to this machine"
    named = "sandbox" in host or any(p.startswith("sandbox") for p in parts.path.split("/"))
    return "leads to a sandbox" if named else ""


def host_is_local(host: str) -> bool:
    """This machine by name or number, also in the short forms that resolvers understand."""
    host = host.strip("[]").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        number = ipaddress.ip_address(host)
    except ValueError:
        try:
            number = ipaddress.ip_address(socket.inet_aton(host))
        except OSError:
            return False
    mapped = getattr(number, "ipv4_mapped", None) or number
    return bool(mapped.is_loopback or mapped.is_unspecified)


def peer_address(request: HttpRequest) -> str:
    """The peer; behind one of our own proxies, whom that one reports last. Empty if unreadable."""
    peer = _number(str(request.META.get("REMOTE_ADDR") or ""))
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR") or "")
    if forwarded and address_within(peer, settings.TRUSTED_PROXIES):
        return _number(forwarded.rpartition(",")[2].strip())
    return peer


def address_within(address: str, networks: Iterable[str]) -> bool:
    """Whether one of the networks holds the address; what cannot be read holds nothing."""
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(
        number in ipaddress.ip_network(one, strict=False)
        for one in networks
        if not network_fault(one)
    )


def network_fault(value: object) -> str:
    """What is wrong with a network such as 10.1.0.0/16; empty when nothing is."""
    try:
        ipaddress.ip_network(str(value), strict=False)
    except ValueError as error:
        return str(error)
    return ""


def _number(address: str) -> str:
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return ""
