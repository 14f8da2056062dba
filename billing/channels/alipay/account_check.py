"""Whether the secrets of an Alipay merchant would carry a payment: asked when they are entered.

The channel is known by its public key, or by certificates, which transfers demand.
"""

from __future__ import annotations

from billing.channels.base import MerchantAccount
from billing.channels.merchant_secrets import SecretNames, keys_faults, names_faults

from .account import alipay_keys, app_key, certificate_numbers

_CERTIFICATES = frozenset({"app_cert", "alipay_cert", "alipay_root_cert"})
_OTHERS = frozenset({"alipay_public_key", "previous_alipay_public_key", "store_id"})
NAMES = SecretNames(
    needed=frozenset({"app_private_key"}),
    optional=_CERTIFICATES | _OTHERS,
    public=frozenset({"alipay_public_key", "previous_alipay_public_key", "store_id"}),
    together=(_CERTIFICATES,),
)


def account_faults(account: MerchantAccount) -> list[str]:
    faults = names_faults(NAMES, account.secrets)
    if not {"alipay_public_key", "alipay_cert"} & account.secrets.keys():
        faults.append("alipay_public_key is missing, and so is alipay_cert")
    return faults or keys_faults(
        {
            "app_private_key": lambda: app_key(account),
            "alipay_public_key": lambda: alipay_keys(account),
            "app_cert": lambda: certificate_numbers(account),
        }
    )
