"""What the beat does for insurance."""

from __future__ import annotations

from insurance.services.credentials import credentials_forget


def forget_credentials() -> int:
    """Empty the proofs of visits that are over; the job of the schedule."""
    return credentials_forget()
