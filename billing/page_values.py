"""What the patient's pay pages show: frozen values, filled by a selector, rendered by templates.

A page decides nothing. It refuses a split that does not sum to the bill, because a patient must
never read figures that do not add up. "Nothing was taken" is said in state NOT_PAID only; whoever
fills a page uses that state only when it is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from billing.channels.base import Action
from core.money import format_yuan
from insurance.models import DRUGS, ItemCategory

Text = str | Promise

REFRESH_FIRST_S = 5
REFRESH_LATER_S = 15
REFRESH_FIRST_FOR_S = 60


class PayState(StrEnum):
    """Where a bill stands for the one who pays it."""

    PREPARING = "preparing"  # being priced: no own part is sure yet
    TO_PAY = "to_pay"
    WAITING = "waiting"  # an order is open and the next step is the payer's
    IN_PROGRESS = "in_progress"  # money may have moved: never a pay button
    PAID = "paid"
    NOT_PAID = "not_paid"  # still to pay; the last attempt is known to have taken nothing
    CLOSED = "closed"  # cancelled: nothing is owed


@dataclass(frozen=True, slots=True)
class SplitPart:
    key: str
    label: Text
    fen: int


@dataclass(frozen=True, slots=True)
class SplitShown:
    """The five exclusive parts of a bill, in their fixed order."""

    fund_fen: int
    own_account_fen: int
    mutual_aid_fen: int
    hospital_part_fen: int
    cash_fen: int

    @property
    def parts(self) -> tuple[SplitPart, ...]:
        return (
            SplitPart("fund", _("fund"), self.fund_fen),
            SplitPart("own_account", _("own account"), self.own_account_fen),
            SplitPart("mutual_aid", _("mutual aid"), self.mutual_aid_fen),
            SplitPart("hospital_part", _("hospital part"), self.hospital_part_fen),
            SplitPart("cash", _("cash part"), self.cash_fen),
        )


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One charge: `detail` is specification, quantity and insurance class, ready to read."""

    category: str
    name: str
    amount_fen: int
    detail: str = ""
    returned_fen: int = 0


@dataclass(frozen=True, slots=True)
class LineGroup:
    category: str
    lines: tuple[ChargeLine, ...]

    @property
    def label(self) -> Text:
        known = self.category in ItemCategory.values
        return ItemCategory(self.category if known else ItemCategory.OTHER).label

    @property
    def amount_fen(self) -> int:
        return sum(line.amount_fen for line in self.lines)


def line_groups(lines: Iterable[ChargeLine]) -> tuple[LineGroup, ...]:
    """Group charges by category: drugs first, then by falling sum."""
    found: dict[str, list[ChargeLine]] = {}
    for line in lines:
        found.setdefault(line.category, []).append(line)
    groups = [LineGroup(category, tuple(rows)) for category, rows in found.items()]
    return tuple(sorted(groups, key=_group_order))


def _group_order(group: LineGroup) -> tuple[int, int, str]:
    drug = DRUGS.index(group.category) if group.category in DRUGS else len(DRUGS)
    return drug, -group.amount_fen, group.category


@dataclass(frozen=True, slots=True)
class NoPhone:
    """The way that needs no phone: place, window, hours and that cash is taken, in one text."""

    place: str
    phone: str = ""

    @property
    def dial(self) -> str:
        return "".join(sign for sign in self.phone if sign.isdigit() or sign == "+")


@dataclass(frozen=True, slots=True)
class Hospital:
    name: str
    no_phone: NoPhone


@dataclass(frozen=True, slots=True)
class NextStep:
    """Where the patient goes after paying."""

    title: str
    detail: str = ""
    icon: str = "pharmacy"


@dataclass(frozen=True, slots=True)
class RefundRow:
    """Money going back; `state` is done, now or next, `promise` says until when it arrives."""

    title: Text
    amount_fen: int
    state: str
    at: datetime | None = None
    promise: Text = ""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to pay: `press` is what the button says, `takes` whether the sum stands after it.

    An impossible way stays listed, greyed, with the reason as its detail.
    """

    value: str
    icon: str
    title: Text
    detail: Text
    press: Text
    off: bool = False
    takes: bool = True


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """Everything the pay pages of one bill may show."""

    hospital: Hospital
    title: str
    invoice_no: str
    state: PayState
    amount_fen: int
    cash_fen: int
    split: SplitShown | None = None
    groups: tuple[LineGroup, ...] = ()
    lines_kept: bool = False  # a minor of 14 and more: who holds the link reads no lines
    paid_fen: int = 0  # already taken towards the own part, for instance at the window
    valid_until: datetime | None = None
    channel: Text = ""
    action: Action | None = None
    started_at: datetime | None = None
    occurred_at: datetime | None = None
    answer_by: datetime | None = None  # set once the deadline passed: until when we tell
    receipt_no: str = ""
    reason: Text = ""
    told: Text = ""
    telling: Text = ""
    next_step: NextStep | None = None
    refunds: tuple[RefundRow, ...] = ()
    settled_badge: str = ""  # what a paid bill is since: part refunded, refunded
    taken_fen: int = 0  # the payers' money as it was taken, before any of it went back
    back_fen: int = 0
    paid_by_reader: bool = False  # "you" is said only to who is known to have paid
    payable_by_reader: bool = True  # a relative may be allowed to look and not to pay
    unpriced: bool = False  # insured, and the insurer has not said yet what it pays
    account_refused: tuple[Text, ...] = ()  # why the reader's insurance account does not pay here

    def __post_init__(self) -> None:
        if self.split is None:
            return
        total = sum(part.fen for part in self.split.parts)
        if total != self.amount_fen or self.split.cash_fen != self.cash_fen:
            raise ValueError(f"the parts of {self.invoice_no} do not sum to the bill")

    @property
    def due_fen(self) -> int:
        return self.cash_fen - self.paid_fen

    @property
    def payable(self) -> bool:
        return self.payable_by_reader and self.state in (PayState.TO_PAY, PayState.NOT_PAID)

    @property
    def nothing_due(self) -> bool:
        """Insurance pays all of it: there is no way to choose, only to confirm."""
        return self.payable and not self.unpriced and self.due_fen <= 0

    @property
    def self_paid(self) -> bool:
        """No insurance has a part: the split is one row, and stands there in every state the same.

        Of a bill that is being priced, was cancelled or went back whole there is none to tell.
        """
        gone = self.state in (PayState.PREPARING, PayState.CLOSED)
        known = not gone and not self.unpriced and self.settled_badge != "refunded"
        own = self.split is None and self.amount_fen == self.cash_fen
        return known and own and bool(self.groups)

    @property
    def net_fen(self) -> int:
        """What the payers have paid in the end."""
        return self.taken_fen - self.back_fen

    @property
    def going_back_fen(self) -> int:
        return sum(row.amount_fen for row in self.refunds if row.state != "done")

    @property
    def badge(self) -> str:
        waiting = (PayState.PREPARING, PayState.WAITING)
        if self.state is PayState.PAID and self.settled_badge:
            return self.settled_badge
        return PayState.IN_PROGRESS.value if self.state in waiting else self.state.value

    @property
    def other_parts(self) -> tuple[SplitPart, ...]:
        """What others pay; parts of zero are left out of bar and list."""
        if self.split is None:
            return ()
        return tuple(part for part in self.split.parts if part.fen and part.key != "cash")

    @property
    def line_count(self) -> int:
        return sum(len(group.lines) for group in self.groups)

    @property
    def split_sentence(self) -> str:
        """The split bar in words, for who cannot see it."""
        total = f"{gettext('total')} {format_yuan(self.amount_fen)}"
        parts = self.split.parts if self.split else ()
        named = [f"{part.label} {format_yuan(part.fen)}" for part in parts if part.fen]
        return gettext(", ").join([total, *named])

    def refresh_s(self, now: datetime) -> int:
        """Seconds until the page looks again: often at first, then calmly."""
        if self.started_at is None:
            return REFRESH_FIRST_S
        waited_s = (now - self.started_at).total_seconds()
        return REFRESH_FIRST_S if waited_s < REFRESH_FIRST_FOR_S else REFRESH_LATER_S

    def code_open(self, now: datetime) -> bool:
        """Whether the payer still has the next step: an open order with a code or a link."""
        action = self.action
        return self.state is PayState.WAITING and action is not None and action.expires_at > now
