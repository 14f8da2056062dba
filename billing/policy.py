"""The timing and limits of collecting and refunding, each with its reason.

A hospital may change any of them by name in `settings.BILLING_POLICY` (docs/deployment.md).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Policy:
    """Seconds and fen."""

    # After a send the answer is looked for at these ages; a lost notice so ends within 30 s.
    query_at_s: tuple[int, ...] = (3, 5, 10, 20, 30)
    query_every_s: int = 30
    # Past this age an open transaction is looked at rarely and a person is told.
    slow_after_s: int = 3600
    slow_every_s: int = 600
    # How long a resumed row is kept from other workers; above the longest call's time-out.
    lease_s: int = 15
    # A bill whose driver was lost is taken up by the sweeper after this.
    drive_lost_after_s: int = 3
    # "No such order" is believed only when asked twice and the send can no longer be on its way.
    never_executed_after_s: int = 10
    never_executed_asks: int = 2
    tries_per_tender: int = 2
    # 付款码: the payer types a password for at most this long, then the order is reversed.
    scan_deadline_s: int = 45
    cash_deadline_s: int = 45  # counted by the cashier; nobody is asked
    agreement_deadline_s: int = 900
    pay_link_deadline_s: int = 900
    h5_deadline_s: int = 300  # the channel's own validity of an h5 link
    pay_link_valid_s: int = 7 * 86400
    refund_deadline_s: int = 30 * 86400
    # A return above this waits for a second person (demo: ¥1,000).
    return_review_above_fen: int = 100_000
    drive_steps_max: int = 20
    sweep_limit: int = 200
    # Delays between pushes of one event to the HIS; then hourly until given up.
    event_retry_s: tuple[int, ...] = (5, 15, 30, 60, 300, 900, 1800, 3600)
    event_give_up_s: int = 72 * 3600
    # What one system of the hospital is pushed in one sweep; its first refusal ends its turn.
    events_per_client: int = 50
    # When our own work on a row broke off: later and later, and after so many a person is told.
    failure_retry_s: tuple[int, ...] = (15, 30, 60, 300, 900, 3600)
    failures_before_review: int = 5
    # Agreements the channel is asked about again; one call each, so a minute asks only so many.
    agreement_sweep_limit: int = 50
    agreement_retry_s: tuple[int, ...] = (60, 120, 300, 900, 3600)
    agreement_signing_ends_s: int = 86400
    agreement_every_s: int = 86400
    # How long who asks the insurer is thought to live; above the longest call's time-out.
    insurer_call_s: int = 60
    # A trial that got no answer is asked for again so often, and after so long.
    price_tries: int = 3
    price_again_s: int = 3
    # While a settlement's end is not known: looked at after so long, later and later.
    settle_again_s: tuple[int, ...] = (3, 5, 10, 20, 30, 60, 300, 600)
    # A settlement found dearer than its trial is taken back and tried this often.
    dearer_rounds: int = 2
    # The window's cash is taken after the settlement; who waited longer has left.
    window_waits_s: int = 180
    show_code_s: int = 900
    # Kept one by one from an address in a minute, and from all; what comes above them is one line.
    refusals_kept_per_address: int = 60
    refusals_kept: int = 200


def policy_faults() -> list[str]:
    """What of `settings.BILLING_POLICY` is no number this page knows."""
    known = {field.name: field.default for field in fields(Policy)}
    found = []
    for name, value in settings.BILLING_POLICY.items():
        if name not in known:
            found.append(f"{name} is not known")
        elif not _alike(value, known[name]):
            found.append(f"{name} must be like {known[name]!r}")
    return found


def _alike(value: Any, usual: Any) -> bool:
    """A positive whole number, or a row of them where the usual value is a row."""
    numbers = value if isinstance(usual, tuple) and isinstance(value, list | tuple) else [value]
    whole = all(type(number) is int and number > 0 for number in numbers)
    return whole and bool(numbers) and (isinstance(usual, tuple) == isinstance(value, list | tuple))


@lru_cache(maxsize=1)
def policy() -> Policy:
    """What holds in this house. JSON has no tuples."""
    named = settings.BILLING_POLICY.items()
    overrides: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in named}
    return Policy(**overrides)
