"""What tells one message from another: its kind, what it is about, and to whom where they differ.

A fact is told once because its key is there once. Keys are made here and read here: whoever looks
for the messages of a payment or of a bill asks for them by these.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

DEDUCTED, PAID, PAY_LINK = "deducted", "paid", "pay_link"
NOT_DEDUCTED, REFUNDED, OVER_LIMIT = "not_deducted", "refunded", "over_limit"
# What each of these is about is the number of a movement of money, or a bill.
BY_NUMBER = (DEDUCTED, PAID, REFUNDED, NOT_DEDUCTED)
BY_BILL = (PAY_LINK, OVER_LIMIT)


def message_key(kind: str, *about: str | int) -> str:
    return "/".join([kind, *map(str, about)])


def message_about(key: str) -> tuple[str, str]:
    """The kind of a key, and what it is about."""
    kind, _slash, rest = key.partition("/")
    return kind, rest.partition("/")[0]


def messages_about(kinds: Iterable[str], about: Iterable[str | int]) -> Q:
    """The messages of these kinds on these numbers, to whomever. Nothing where there are none."""
    found = Q(pk__in=[])
    subjects = list(about)
    for key in (message_key(kind, one) for kind in kinds for one in subjects):
        found |= Q(key=key) | Q(key__startswith=f"{key}/")
    return found
