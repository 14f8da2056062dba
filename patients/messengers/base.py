"""The boundary of every messenger."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

# What a notice is made of (`patients.messages`); a vendor's template places each.
NOTICE_FIELDS = ("title", "hospital", "name", "amount", "number", "todo")


class Delivery(StrEnum):
    """How an attempt ended. A call without an answer is AGAIN: the key makes that safe."""

    SENT = "SENT"
    AGAIN = "AGAIN"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Message:
    """What to say to whom. `fields` are short texts that the vendor's template places."""

    key: str
    address: str
    kind: str
    fields: Mapping[str, str]
    link: str = ""


@dataclass(frozen=True, slots=True)
class Delivered:
    delivery: Delivery
    reason: str = ""


class MessengerAdapter(Protocol):
    """One way to reach a person."""

    def send(self, message: Message) -> Delivered: ...


def again(reason: str) -> Delivered:
    return Delivered(Delivery.AGAIN, reason)


def refused(reason: str) -> Delivered:
    return Delivered(Delivery.REFUSED, reason)


SENT = Delivered(Delivery.SENT)

MessengerConfig = Mapping[str, object]


def short_key(key: str) -> str:
    """Our key as a vendor's own-number field takes it: at most 32 characters, always the same."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]
