"""What a channel with merchants reads of their secrets, and what is wrong with those given.

Asked when they are entered, so that no night finds a key that does not parse. No fault quotes one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ImproperlyConfigured

from billing.channels.base import Channel, MerchantAccount


@dataclass(frozen=True, slots=True)
class SecretNames:
    """The names an adapter reads. `public` ones are no secret and may stand in a file as they are;
    of a `together` group all are given or none."""

    needed: frozenset[str]
    optional: frozenset[str]
    public: frozenset[str]
    together: tuple[frozenset[str], ...] = ()


class MerchantChannel(Channel, Protocol):
    """A channel at which the hospital has accounts with keys."""

    secret_names: SecretNames

    def account_faults(self, account: MerchantAccount, *, agreements: bool) -> list[str]: ...


def names_faults(names: SecretNames, given: Iterable[str]) -> list[str]:
    """Names that are missing, unknown or alone."""
    held = set(given)
    faults = [f"{name} is missing" for name in sorted(names.needed - held)]
    faults += [f"{name} is not known" for name in sorted(held - names.needed - names.optional)]
    for group in names.together:
        if group & held and group - held:
            faults += [f"{name} is missing" for name in sorted(group - held)]
    return faults


def keys_faults(checks: Mapping[str, Callable[[], object]]) -> list[str]:
    """Run what the adapter itself would run; a library's own words may quote what it read."""
    faults = []
    for name, check in checks.items():
        try:
            check()
        except ImproperlyConfigured as error:
            faults.append(str(error))
        except (ValueError, TypeError, IndexError, UnsupportedAlgorithm):
            faults.append(f"{name} cannot be read")
    return faults


def certificate_fits(certificate_pem: str, key_pem: str) -> None:
    """Raises when the certificate is not that of the key."""
    certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
    key = load_pem_private_key(key_pem.encode(), password=None)
    if certificate.public_key() != key.public_key():
        raise ImproperlyConfigured("the certificate belongs to another key")
