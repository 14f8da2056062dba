"""What the counterparties tell the world about themselves, from their `AppConfig.ready()`.

register_operations("his", {"push": TRANSPORT})
register_books("his", books)                  # books(start, end) -> {merchant: Book}
register_transactions("his", rows)            # rows(since, page) -> list of dicts
register_actions("his", {"charge": Action(charge, "encounter number", {"amount_fen": "fen"})})
register_reset(empty)                         # empty() removes this counterparty's rows
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# A book: the name of a sum (captured, refunded, open …) -> {"count": n, "fen": amount}.
Book = dict[str, dict[str, int]]
BooksFn = Callable[[datetime | None, datetime | None], dict[str, Book]]
# Rows of page (from 1) created at or after `since`, oldest first; an empty list ends the paging.
TransactionsFn = Callable[[datetime | None, int], list[dict[str, Any]]]
SealFn = Callable[[str, bytes, bool], dict[str, str]]
PAGE = 200

TRANSPORT = frozenset(
    {
        "refuse_connection",
        "drop_before",
        "drop_after",
        "delay",
        "http_500_before",
        "http_500_after",
    }
)
SIGNED = TRANSPORT | {"bad_signature"}
NOTICES = frozenset(
    {
        "lose_notice",
        "duplicate_notice",
        "early_notice",
        "reordered_notices",
        "wrong_amount_notice",
        "bad_signature",
    }
)
FAULTS = (
    SIGNED
    | NOTICES
    | {
        "decline",
        "user_paying",
        "never_final",
        "success_after_close",
        "returned_after_success",
        "settle_differs",
        "already_cleared",
        "part_success",
        "bill_difference",
        "system_error_before",
        "system_error_after",
    }
)


class BadCall(Exception):
    """A control call that names something unknown or impossible; answered with 400."""


@dataclass(frozen=True)
class Action:
    """Something a person or a system can be made to do; `run(subject, args)` returns JSON."""

    run: Callable[[str, dict[str, Any]], Any]
    subject: str = ""
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TlsMaterial:
    """PEM texts of the port with mutual TLS; `ca` signs the client certificates."""

    certificate: str
    key: str
    ca: str


OPERATIONS: dict[str, dict[str, frozenset[str]]] = {}
BOOKS: dict[str, BooksFn] = {}
TRANSACTIONS: dict[str, TransactionsFn] = {}
ACTIONS: dict[str, dict[str, Action]] = {}
RESETS: list[Callable[[], None]] = []
RELEASES: list[Callable[[], None]] = []
SEALS: dict[str, SealFn] = {}
TLS: list[Callable[[], TlsMaterial]] = []
PROVISIONS: dict[str, Callable[[], dict[str, Any]]] = {}


def register_operations(counterparty: str, operations: Mapping[str, frozenset[str]]) -> None:
    """Operations of a counterparty and the faults that can happen at each."""
    OPERATIONS.setdefault(counterparty, {}).update(operations)


def register_books(counterparty: str, books: BooksFn) -> None:
    """What the counterparty believes happened, per merchant, in [start, end)."""
    BOOKS[counterparty] = books


def register_transactions(counterparty: str, rows: TransactionsFn) -> None:
    """The rows behind the sums."""
    TRANSACTIONS[counterparty] = rows


def register_actions(actor: str, actions: Mapping[str, Action]) -> None:
    """Actions of an actor, callable through `POST /_control/act`."""
    ACTIONS.setdefault(actor, {}).update(actions)


def register_reset(empty: Callable[[], None]) -> None:
    """Called by `POST /_control/reset`, in the order of registration."""
    RESETS.append(empty)


def register_release(release: Callable[[], None]) -> None:
    """Called when a fault was removed: what it held back may now become final."""
    RELEASES.append(release)


def register_seal(counterparty: str, seal: SealFn) -> None:
    """`seal(sender, body, spoilt)` makes the headers of a notice at the moment it is sent."""
    SEALS[counterparty] = seal


def register_tls(material: Callable[[], TlsMaterial]) -> None:
    """The counterparty that runs the port with mutual TLS (there is one such port)."""
    TLS[:] = [material]


def register_provision(counterparty: str, credentials: Callable[[], dict[str, Any]]) -> None:
    """What the portal must know of this counterparty; making it twice makes it once."""
    PROVISIONS[counterparty] = credentials
