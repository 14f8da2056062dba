"""The sandbox's control API, as the demo and `compare_books` call it. Not part of production."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
from django.conf import settings

TIMEOUT = httpx.Timeout(30.0, connect=3.0)


class SandboxError(RuntimeError):
    """The sandbox is away or refused; its words are in the message."""


def sandbox_call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """One control call; raises SandboxError with the sandbox's words."""
    url = f"{settings.SANDBOX_URL}{path}"
    try:
        # trust_env is off: a proxy of this machine has no say on loopback.
        answer = httpx.request(method, url, json=body, timeout=TIMEOUT, trust_env=False)
        data = answer.json()
    except httpx.ConnectError as error:
        raise SandboxError("the sandbox is not running: start it with make demo") from error
    except (httpx.HTTPError, ValueError) as error:
        raise SandboxError(f"{method} {path}: {error}") from error
    if answer.is_error:
        raise SandboxError(f"{method} {path}: {data}")
    return data


def sandbox_act(actor: str, action: str, subject: str, **args: Any) -> Any:
    """Make somebody do something; returns the action's result."""
    body = {"actor": actor, "action": action, "subject": subject, "args": args}
    return sandbox_call("POST", "/_control/act", body)["result"]


def sandbox_books() -> dict[str, Any]:
    """What each counterparty believes happened."""
    books: dict[str, Any] = sandbox_call("GET", "/_control/books")
    return books


def sandbox_transactions(counterparty: str) -> Iterator[dict[str, Any]]:
    """The rows behind a counterparty's books, oldest first."""
    page: int | None = 1
    while page:
        answer = sandbox_call(
            "GET", f"/_control/transactions?counterparty={counterparty}&page={page}"
        )
        yield from answer["transactions"]
        page = answer["next"]
