"""How large the town is, and which numbers its people and bills bear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core import clock
from tests.bench.bills import FIRST

PATIENTS = 1_000_000
BILLS_EACH = 5
ACCOUNTS = 0.4  # of the patients; the others pay at the window or by a link
YEARS = 3
SAMPLE = 5  # one patient in so many has bills with lines, postings, events and a trail
AGREED = 3  # one account in so many has signed an agreement


@dataclass(frozen=True, slots=True)
class Town:
    """Patients, accounts and bills count from FIRST; an account's own person has its number."""

    patients: int
    built_at: datetime

    @classmethod
    def of(cls, scale: float, built_at: datetime | None = None) -> Town:
        return cls(max(round(PATIENTS * scale), 100), built_at or clock.now())

    @property
    def bills(self) -> int:
        return self.patients * BILLS_EACH

    @property
    def accounts(self) -> int:
        return int(self.patients * ACCOUNTS)

    @property
    def values(self) -> dict[str, object]:
        """What the statements of `copies` may name."""
        return {
            "patients": self.patients,
            "patients_end": FIRST + self.patients,
            "accounts_end": FIRST + self.accounts,
            "alone": self.patients - self.accounts,
            "bills_end": FIRST + self.bills,
            # The last three days, when one in four has not paid yet; never fewer than 400 bills.
            "recent": FIRST + self.bills - max(self.bills * 3 // (YEARS * 365), 400),
            "built_at": self.built_at,
            "step_s": YEARS * 365 * 86400 / self.bills,
        }

    def last(self, of: str) -> int:
        """The highest number of the `patients`, `accounts` or `bills`."""
        count: int = getattr(self, of)
        return FIRST + count - 1
