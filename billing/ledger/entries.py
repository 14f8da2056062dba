"""The values of the ledger and what it answers when it will not post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from billing.ledger.chart import Event
from core.errors import Conflict


class LedgerError(Exception):
    """The ledger did not post. Nothing was written by this call."""


class UnbalancedEntry(LedgerError):
    """Fewer than two legs, a leg of zero, or a sum that is not zero."""


class MissingSubject(LedgerError):
    """A leg on a shared account does not say which row it is about."""


class AlreadyPosted(LedgerError):
    """The same entry stands in the books: the event was booked before. The transaction lives."""

    def __init__(self, reference: str, entry_id: int) -> None:
        super().__init__(f"{reference} is posted as entry {entry_id}")
        self.reference = reference
        self.entry_id = entry_id


class ReferenceReused(LedgerError):
    """The reference stands in the books with another event or other legs."""


class PartlyPosted(LedgerError):
    """Some entries of one statement stood in the books already: roll the transaction back."""


class DayNotClosable(Conflict):
    """The day is not over, or an earlier one is still open."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg: account path, signed fen (debit > 0 > credit), the row it is about (0: none)."""

    account: str
    amount_fen: int
    subject: int = 0


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """An entry before it is posted."""

    reference: str
    event: Event
    occurred_at: datetime
    legs: Sequence[Leg]
    invoice_id: int | None = None


@dataclass(frozen=True, slots=True)
class AccountTotals:
    """What an account has moved. `balance_fen` is debit minus credit, whatever the kind."""

    code: str
    kind: str
    debit_fen: int
    credit_fen: int
    balance_fen: int


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold, and where."""

    rule: str
    where: str


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """The books, read again from the first posting."""

    entries: int
    postings: int
    unbalanced: int
    violations: tuple[Violation, ...]
    accounts: tuple[AccountTotals, ...]

    @property
    def sound(self) -> bool:
        return not self.unbalanced and not self.violations


@dataclass(frozen=True, slots=True)
class DayClosing:
    """The answer of `day_close`; a second call gives the same with `replayed`."""

    day: date
    closed_at: datetime
    entry_count: int
    posting_count: int
    account_count: int
    debit_fen: int
    replayed: bool = False
