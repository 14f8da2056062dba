"""What passes between us and the mobile-pay centre: frozen values, fen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.outcomes import Outcome
from insurance.gateway.claim_values import ChargeLine, Settlement
from insurance.gateway.mobile.states import OrderClass, order_class, order_outcome
from insurance.gateway.visit_values import Visit


class SettleKind(StrEnum):
    """Which part of an order something is about (setlType, refdType)."""

    ALL = "ALL"
    CASH = "CASH"
    FUND = "HI"


class RefundStatus(StrEnum):
    """How a refund ended (refStatus)."""

    SUCCEEDED = "SUCC"
    FAILED = "FAIL"
    ABNORMAL = "EXP"


@dataclass(frozen=True, slots=True)
class MobileBill:
    """A bill as 6201 is told of it. Exactly one of `pay_auth_no` and `token` proves the consent."""

    order_no: str  # medOrgOrd, unique for ever
    visit: Visit
    patient_name: str = field(repr=False)
    id_number: str = field(repr=False)
    lines: Sequence[ChargeLine]
    batch_no: str
    total_fen: int
    use_account: bool
    institution_code: str
    ended_at: datetime
    id_kind: str = "01"
    pay_auth_no: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    location: str = ""  # "longitude,latitude"
    invoice_no: str = ""
    fee_kind: str = "01"


@dataclass(frozen=True, slots=True)
class MobileFees:
    """What 6201 answers: the order's number and the token that every later call repeats."""

    pay_order_no: str
    pay_token: str = field(repr=False)
    mdtrt_id: str = ""


@dataclass(frozen=True, slots=True)
class MobileReference:
    """Which order is meant, and whose it is."""

    pay_order_no: str
    pay_token: str = field(repr=False)
    institution_code: str
    patient_name: str = field(repr=False)
    id_number: str = field(repr=False)
    id_kind: str = "01"


@dataclass(frozen=True, slots=True)
class MobileOrder:
    """6202: ask for the trial and the payment of what 6201 uploaded."""

    reference: MobileReference
    pay_auth_no: str = field(repr=False)
    order_no: str
    batch_no: str
    mdtrt_id: str
    use_account: bool
    total_fen: int
    deposit_fen: int = 0
    fee_kind: str = "01"


@dataclass(frozen=True, slots=True)
class MobileParts:
    """An order's money: cash, account and fund are the bill, with the hospital's own part."""

    total_fen: int
    cash_fen: int
    account_fen: int
    fund_fen: int
    hospital_fen: int = 0
    other_fen: int = 0
    mutual_aid_fen: int = 0
    deposit_fen: int = 0


@dataclass(frozen=True, slots=True)
class MobileState:
    """Where an order stands. In progress it may come without amounts."""

    pay_order_no: str
    code: str
    parts: MobileParts | None
    order_no: str = ""
    settlement: Settlement | None = None
    kind: SettleKind | None = None
    revoke_token: str = field(default="", repr=False)
    traced_at: datetime | None = None

    @property
    def state(self) -> OrderClass:
        """What is to be done about it."""
        return order_class(self.code)

    @property
    def outcome(self) -> Outcome:
        """What it says of the payment."""
        return order_outcome(self.state)


@dataclass(frozen=True, slots=True)
class MobileRefund:
    """6203 under our `refund_no`; ALL and HI give back whole parts, only cash may be partial."""

    pay_order_no: str
    refund_no: str
    at: datetime
    kind: SettleKind
    original: MobileParts
    cash_fen: int
    pay_auth_no: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class MobileRefunded:
    """How 6203 ended."""

    refund_no: str  # theirs
    fund_no: str
    status: RefundStatus

    @property
    def outcome(self) -> Outcome:
        """EXP is neither yes nor no: the order is asked (6301)."""
        return {
            RefundStatus.SUCCEEDED: Outcome.SUCCEEDED,
            RefundStatus.FAILED: Outcome.DECLINED,
        }.get(self.status, Outcome.UNKNOWN)
