"""What the adapter of a merchant must know."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType

from django.conf import settings

from billing.channels.base import MerchantAccount
from billing.models import Merchant


class SecretsUnreadable(ValueError):
    """What is stored as a merchant's secrets is no object of texts. It is never quoted."""


def merchant_account(merchant: Merchant | None, *, channel: str) -> MerchantAccount:
    """The adapter's view of a merchant; a channel without one (cash) gets an empty account.

    Raises SecretsUnreadable, which the checks of production find before anybody pays.
    """
    if merchant is None:
        return MerchantAccount(channel, "", "", "", settings.PORTAL_URL, MappingProxyType({}))
    return MerchantAccount(
        channel=merchant.channel,
        merchant_no=merchant.merchant_no,
        app_id=merchant.app_id,
        base_url=merchant.base_url,
        notify_base_url=settings.PORTAL_URL,
        secrets=_secrets(merchant),
    )


def _secrets(merchant: Merchant) -> Mapping[str, str]:
    if not merchant.secrets:
        return MappingProxyType({})
    try:
        secrets = json.loads(merchant.secrets)
    except (ValueError, RecursionError):
        # The cause would carry the whole text.
        raise SecretsUnreadable(f"merchant {merchant}: its secrets are no JSON") from None
    if not isinstance(secrets, dict) or not all(isinstance(one, str) for one in secrets.values()):
        raise SecretsUnreadable(f"merchant {merchant}: its secrets are no object of texts")
    return MappingProxyType(secrets)
