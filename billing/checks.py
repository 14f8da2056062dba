"""System checks: every channel of the settings resolves and declares what callers rely on."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from billing.channels.base import Capability, Channel, Operation
from billing.channels.registry import channel_codes, channel_get

VERBS = (
    "capture",
    "query",
    "close",
    "reverse",
    "refund",
    "refund_query",
    "parse_notice",
    "notice_reply",
)
AGREEMENT_VERBS = ("sign_url", "agreement_query", "unsign")
AGREEMENT_OPERATIONS = {Operation.SIGN, Operation.UNSIGN, Operation.AGREEMENT_QUERY}


@register()
def payment_channels_check(
    app_configs: Sequence[AppConfig] | None, **_options: object
) -> list[CheckMessage]:
    """A channel that cannot be built or lacks a declaration stops the start, not a payment."""
    messages: list[CheckMessage] = []
    for code in channel_codes():
        try:
            channel = channel_get(code)
        except Exception as error:  # whatever breaks it, the check must name it
            messages.append(Error(f"channel {code} does not resolve: {error}", id="billing.E001"))
            continue
        messages.extend(
            Error(f"channel {code}: {fault}", id="billing.E002")
            for fault in channel_faults(code, channel)
        )
    return messages


@register()
def payment_purposes_check(
    app_configs: Sequence[AppConfig] | None, **_options: object
) -> list[CheckMessage]:
    """Every purpose of the settings can be imported."""
    messages: list[CheckMessage] = []
    for code, path in settings.PAYMENT_PURPOSES.items():
        try:
            import_string(path)
        except ImportError as error:
            messages.append(Error(f"purpose {code} does not resolve: {error}", id="billing.E003"))
    return messages


def channel_faults(code: str, channel: Channel) -> list[str]:
    """What this adapter fails to declare."""
    faults = []
    if getattr(channel, "code", None) != code:
        faults.append("its code differs from its key in PAYMENT_CHANNELS")
    capabilities = getattr(channel, "capabilities", None)
    if not isinstance(capabilities, frozenset) or not all(
        isinstance(capability, Capability) for capability in capabilities
    ):
        return [*faults, "capabilities is not a frozenset of Capability"]
    signs = Capability.AGREEMENT in capabilities
    verbs = VERBS + (AGREEMENT_VERBS if signs else ())
    faults += [f"verb {verb} is missing" for verb in verbs if not hasattr(channel, verb)]
    needed = set(Operation) - (set() if signs else AGREEMENT_OPERATIONS)
    silent = needed - set(getattr(channel, "unanswered", {}))
    faults += [f"unanswered says nothing of {operation.value}" for operation in sorted(silent)]
    gap = getattr(channel, "refund_gap_s", None)
    if not isinstance(gap, int) or gap < 0:
        faults.append("refund_gap_s is not a number of seconds")
    return faults
