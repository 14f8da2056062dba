"""Every address the house knows, as the resolver has it, and how one of them is filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import URLResolver, get_resolver

NAMED = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
ANYTHING = r"[\s\S]*"
# What a parameter that names no row of ours stands for.
FIXED = {"app_label": "billing", "url": "nowhere/at/all", "anything": "nowhere"}


def routes() -> list[str]:
    """Patterns as people read them: `bills/<invoice_id>/pay`."""
    return sorted({route_of(pattern) for pattern in _walk(get_resolver(), "")})


def route_of(pattern: str) -> str:
    text = NAMED.sub(r"<\1>", pattern).replace(ANYTHING, "<anything>")
    return PARAMETER.sub(r"<\1>", text).replace("^", "").replace("$", "")


def _walk(resolver: URLResolver, before: str) -> Iterator[str]:
    for one in resolver.url_patterns:
        pattern = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one, pattern)
        else:
            yield pattern


def parameters(route: str) -> list[str]:
    return [name for name in PARAMETER.findall(route) if name not in FIXED]


def address(route: str, thing: Mapping[str, Any]) -> str:
    """The route with a thing's numbers in it."""
    return "/" + PARAMETER.sub(lambda found: str({**FIXED, **thing}[found[1]]), route)
