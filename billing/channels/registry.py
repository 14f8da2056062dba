"""The channels of this house, by code: a literal table of dotted paths in the settings.

A path may point to a layer above billing (credit is a channel too), so it is resolved on first use
and never imported here. `billing.checks` resolves all of them at start.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from billing.channels.base import AgreementChannel, Capability, Channel, MixedChannel
from billing.channels.merchant_secrets import MerchantChannel


class UnknownChannel(LookupError):
    """No channel of this code is configured, or it lacks what was asked of it."""


def channel_codes() -> tuple[str, ...]:
    """The configured codes, in the order of the settings."""
    return tuple(_paths())


def channel_get(code: str) -> Channel:
    """The one adapter of this code."""
    path = _paths().get(code)
    if path is None:
        raise UnknownChannel(code)
    return _build(path)


def auth_code_channel(code: str) -> str:
    """The channel whose payment code this is; empty when none here takes it."""
    for channel in map(channel_get, channel_codes()):
        if channel.auth_code_form is not None and channel.auth_code_form.fullmatch(code):
            return channel.code
    return ""


def agreement_channel_get(code: str) -> AgreementChannel:
    """The adapter of this code, if it has agreements."""
    channel = channel_get(code)
    if Capability.AGREEMENT not in channel.capabilities:
        raise UnknownChannel(f"{code} has no agreements")
    return cast(AgreementChannel, channel)


def mixed_channel_get(code: str) -> MixedChannel:
    """The adapter of this code, if it takes insurance and cash in one order."""
    channel = channel_get(code)
    if Capability.MIXED not in channel.capabilities:
        raise UnknownChannel(f"{code} takes no mixed orders")
    return cast(MixedChannel, channel)


def merchant_channel_get(code: str) -> MerchantChannel:
    """The adapter of this code, if the hospital has accounts there."""
    channel = _paths().get(code) and channel_get(code)
    if not hasattr(channel, "account_faults"):
        raise UnknownChannel(f"{code} has no merchants")
    return cast(MerchantChannel, channel)


def _paths() -> Mapping[str, str]:
    return cast(Mapping[str, str], settings.PAYMENT_CHANNELS)


@lru_cache(maxsize=32)
def _build(path: str) -> Channel:
    return cast(Channel, import_string(path)())
