"""The words of the console, as filters."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import template

from sandbox.his.wire import plain as plain_text
from sandbox.his.words import (
    CHANNELS,
    EVENTS,
    INVOICE_STATES,
    PAYMENT_STATES,
    RETURNABLE,
    SPLIT,
    STATE_KINDS,
    fact_words,
    reason_text,
)

register = template.Library()


@register.filter
def plain(value: Decimal) -> str:
    return plain_text(value)


@register.filter
def state_word(state: str) -> str:
    return INVOICE_STATES.get(state, state) or "未确认"


@register.filter
def state_kind(state: str) -> str:
    return STATE_KINDS.get(state, "wait")


@register.filter
def returnable(state: str) -> bool:
    return state in RETURNABLE


@register.filter
def event_word(kind: str) -> str:
    return EVENTS.get(kind, kind)


@register.filter
def channel_word(channel: str) -> str:
    return CHANNELS.get(channel, channel)


@register.filter
def payment_word(status: str) -> str:
    return PAYMENT_STATES.get(status, status)


@register.filter
def reason_words(reason: Any) -> str:
    return reason_text(reason)


@register.filter
def split_parts(split: Any) -> list[tuple[str, int]]:
    """The parts that are not zero, in the order of the bill."""
    if not isinstance(split, dict):
        return []
    return [(word, split[key]) for key, word in SPLIT.items() if split.get(key)]


@register.filter
def facts(data: dict[str, Any]) -> str:
    return fact_words(data)
