"""The timing of claims, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClaimPolicy:
    """Seconds."""

    # A trial is what the insurer would pay now; limits of the day and the year move on.
    trial_valid_s: int = 1800
    # A send that is still on its way is left alone: above the longest call's time-out.
    sending_s: int = 30
    # After a lost answer the insurer is asked at these ages, so that it ends within 30 s.
    look_at_s: tuple[int, ...] = (3, 5, 10, 20, 30)
    look_every_s: int = 30
    # Past this age the insurer is asked rarely and a person is told.
    slow_after_s: int = 900
    slow_every_s: int = 600
    # How long a leased claim is kept from other workers; above a query and a reversal together.
    lease_s: int = 60
    # A claim released at the insurer's silence is tidied up there at these intervals.
    tidy_every_s: int = 300
    # Taken away within the day, or it lies there as an unsettled visit, which owes nothing.
    tidy_ends_s: int = 86_400


POLICY = ClaimPolicy()
