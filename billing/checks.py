"""System checks: every channel of the settings resolves and declares what callers rely on."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from types import NoneType

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import OperationalError, ProgrammingError
from django.utils.module_loading import import_string

from billing.channels.base import (
    AgreementChannel,
    Capability,
    Channel,
    MerchantAccount,
    MixedChannel,
    Operation,
    TransferChannel,
)
from billing.channels.registry import (
    UnknownChannel,
    channel_codes,
    channel_get,
    merchant_channel_get,
)
from billing.models import Merchant
from billing.policy import policy_faults
from billing.services.merchants import SecretsUnreadable, merchant_account
from core.checks import is_made_up
from core.crypto import DecryptionError
from core.outcomes import Unanswered
from core.web_addresses import address_fault, unreal_fault
from patients.models import HisClient


def _verbs(protocol: type) -> tuple[str, ...]:
    """What a protocol of `channels.base` itself asks for."""
    return tuple(name for name, made in vars(protocol).items() if name[0] != "_" and callable(made))


VERBS, AGREEMENT_VERBS, TRANSFER_VERBS, MIXED_VERBS = map(
    _verbs, (Channel, AgreementChannel, TransferChannel, MixedChannel)
)
AGREEMENT_OPERATIONS = {Operation.SIGN, Operation.UNSIGN, Operation.AGREEMENT_QUERY}
TRANSFER_OPERATIONS = {Operation.TRANSFER, Operation.TRANSFER_QUERY}
# What the sweepers repeat until it is answered, so that every channel must allow it. A capture is
# never repeated, and a refund only where its channel says so (`refunds.refund_resume`).
REPEATED = (
    Operation.UNSIGN,
    Operation.QUERY,
    Operation.CLOSE,
    Operation.REVERSE,
    Operation.REFUND_QUERY,
    Operation.AGREEMENT_QUERY,
    Operation.TRANSFER_QUERY,
)


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
def followers_check(
    app_configs: Sequence[AppConfig] | None, **_options: object
) -> list[CheckMessage]:
    """What must follow a consent, a binding, a phone or a filing is found at the start."""
    messages: list[CheckMessage] = []
    consents = itertools.chain.from_iterable(settings.CONSENT_FOLLOWERS.values())
    accounts = itertools.chain.from_iterable(settings.ACCOUNT_FOLLOWERS.values())
    others = (*settings.ACCESS_FOLLOWERS, *settings.FILING_FOLLOWERS)
    for path in (*consents, *accounts, *others):
        try:
            import_string(path)
        except ImportError as error:
            messages.append(Error(f"follower {path}: {error}", id="billing.E009"))
    return messages


@register()
def policy_check(app_configs: Sequence[AppConfig] | None, **_options: object) -> list[CheckMessage]:
    """A limit that is misspelt would silently keep its old value."""
    return [Error(f"BILLING_POLICY: {fault}", id="billing.E010") for fault in policy_faults()]


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


@register(Tags.database)
def production_counterparties_check(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **_options: object,
) -> list[CheckMessage]:
    """In production no merchant and no system of the hospital is one of the demo's."""
    if not settings.PRODUCTION or not databases:
        return []
    try:
        return [*_merchants(), *_clients()]
    except (OperationalError, ProgrammingError):
        return []  # away, which `core.checks` says, or before the first migration
    except DecryptionError as error:
        return [Error(f"the database was written with another key: {error}", id="billing.E007")]


def _merchants() -> Iterator[CheckMessage]:
    for merchant in Merchant.objects.filter(active=True).order_by("pk"):
        if merchant.base_url and unreal_fault(merchant.base_url):
            fault = unreal_fault(merchant.base_url)
            yield Error(f"merchant {merchant}: its address {fault}", id="billing.E004")
        try:
            account = merchant_account(merchant, channel=merchant.channel)
        except SecretsUnreadable as error:
            yield Error(str(error), id="billing.E008")
            continue
        secrets = account.secrets
        for fault in _account_faults(merchant, account):
            yield Error(f"merchant {merchant}: {fault}", id="billing.E011")
        for name in sorted(name for name, value in secrets.items() if is_made_up(value)):
            yield Error(f"merchant {merchant}: {name} is a demo's", id="billing.E005")
        address = secrets.get("base_url_tls", "")
        if address and unreal_fault(address):
            yield Error(f"merchant {merchant}: base_url_tls is no real one", id="billing.E004")


def _account_faults(merchant: Merchant, account: MerchantAccount) -> list[str]:
    """Whether the keys are complete and fit: found at the start, not at the first patient."""
    try:
        adapter = merchant_channel_get(merchant.channel)
    except UnknownChannel as error:
        return [str(error)]
    agreements = merchant.plans.filter(offered=True).exists()
    return adapter.account_faults(account, agreements=agreements)


def _clients() -> Iterator[CheckMessage]:
    """The hospital's own systems may stand beside us, but not with the demo's secret."""
    for client in HisClient.objects.filter(active=True).order_by("pk"):
        if client.events_url and address_fault(client.events_url):
            fault = address_fault(client.events_url)
            yield Error(f"HIS client {client.code}: its events_url {fault}", id="billing.E006")
        if is_made_up(client.events_secret):
            yield Error(f"HIS client {client.code}: a demo's events_secret", id="billing.E005")


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
    verbs: tuple[str, ...] = VERBS
    needed = set(Operation)
    for capability, more, operations in (
        (Capability.AGREEMENT, AGREEMENT_VERBS, AGREEMENT_OPERATIONS),
        (Capability.TRANSFER, TRANSFER_VERBS, TRANSFER_OPERATIONS),
        (Capability.MIXED, MIXED_VERBS, set()),
    ):
        if capability in capabilities:
            verbs += more
        else:
            needed -= operations
    faults += [f"verb {verb} is missing" for verb in verbs if not hasattr(channel, verb)]
    allowed = getattr(channel, "unanswered", {})
    silent = needed - set(allowed)
    faults += [f"unanswered says nothing of {operation.value}" for operation in sorted(silent)]
    faults += [
        f"{operation.value} is repeated until it is answered, which unanswered does not allow"
        for operation in REPEATED
        if allowed.get(operation, Unanswered.RESEND) is not Unanswered.RESEND
    ]
    gap = getattr(channel, "refund_gap_s", None)
    if not isinstance(gap, int) or gap < 0:
        faults.append("refund_gap_s is not a number of seconds")
    if not isinstance(getattr(channel, "auth_code_form", ""), re.Pattern | NoneType):
        faults.append("auth_code_form is neither a pattern nor None")
    return faults
