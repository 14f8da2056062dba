"""Whether the secrets of a WeChat Pay merchant would carry a payment: asked when they are entered.

The second generation's (api_v2_key, mutual TLS) are needed where there are agreements only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from billing.channels.base import MerchantAccount
from billing.channels.merchant_secrets import (
    SecretNames,
    certificate_fits,
    keys_faults,
    names_faults,
)

from .account import api_v3_key, merchant_key, platform_keys, secret_get
from .v2_signing import sign_type_of

_V3 = frozenset(
    {
        "merchant_private_key",
        "merchant_serial",
        "platform_public_key",
        "platform_public_key_id",
        "api_v3_key",
    }
)
_V2 = frozenset({"api_v2_key", "client_cert", "client_key", "base_url_tls"})
_PREVIOUS = frozenset({"previous_platform_public_key", "previous_platform_public_key_id"})
NAMES = SecretNames(
    needed=_V3,
    optional=_V2 | _PREVIOUS | {"ca", "sign_type", "store_id"},
    public=frozenset(
        {
            "merchant_serial",
            "platform_public_key_id",
            "previous_platform_public_key_id",
            "base_url_tls",
            "sign_type",
            "store_id",
        }
    ),
    together=(_V2, _PREVIOUS),
)


def account_faults(account: MerchantAccount, *, agreements: bool) -> list[str]:
    names = replace(NAMES, needed=_V3 | _V2) if agreements else NAMES
    faults = names_faults(names, account.secrets)
    if faults:
        return faults
    checks: dict[str, Callable[[], object]] = {
        "merchant_private_key": lambda: merchant_key(account),
        "platform_public_key": lambda: platform_keys(account),
        "api_v3_key": lambda: api_v3_key(account),
        "sign_type": lambda: sign_type_of(account),
    }
    if "client_cert" in account.secrets:
        checks["client_cert"] = lambda: certificate_fits(
            secret_get(account, "client_cert"), secret_get(account, "client_key")
        )
    return keys_faults(checks)
