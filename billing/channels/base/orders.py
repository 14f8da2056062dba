"""What an adapter is asked for: frozen, with everything it needs and nothing of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from billing.channels.base.words import Mode, PayeeKind


@dataclass(frozen=True, slots=True)
class MerchantAccount:
    """The hospital's account at a channel. Secrets are named and never shown (repr=False)."""

    channel: str
    merchant_no: str
    app_id: str
    base_url: str
    notify_base_url: str
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class InsurancePart:
    """What the insurer pays of an order of both kinds, under its own numbers.

    `total_fen` is what insurance and cash pay together: the hospital's own part is in neither.
    Where a guardian pays, the relative is the insured child.
    """

    serial_no: str  # our order at the mobile-pay centre (medOrgOrd)
    pay_order_no: str
    pay_auth_no: str = field(repr=False)
    total_fen: int
    fund_fen: int
    account_fen: int
    cash_fen: int
    payer_name: str = field(repr=False)
    payer_id_number: str = field(repr=False)
    institution_code: str
    institution_name: str
    city: str
    location: str = ""
    relative_name: str = field(default="", repr=False)
    relative_id_number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class CaptureOrder:
    """Take `amount_fen` under our `number` (out_trade_no, ≤ 32 alphanumerics, committed before)."""

    merchant: MerchantAccount
    number: str
    amount_fen: int
    description: str  # what the payer reads: hospital and bill number, never a department
    mode: Mode
    created_at: datetime
    expires_at: datetime
    contract_id: str = ""
    auth_code: str = field(default="", repr=False)
    payer_address: str = ""
    device: str = ""
    plan_id: str = ""  # of the agreement, where the channel takes it with the deduction
    return_url: str = ""  # where a link leads the payer back to
    payer_subject: str = field(default="", repr=False)  # their id at the merchant's app (JSAPI)
    insurance: InsurancePart | None = None


@dataclass(frozen=True, slots=True)
class OrderReference:
    """Which order to query, close or reverse.

    `offered_until` says until when a code or link that somebody was shown can still be used; none:
    nobody holds one. Some channels know no order before it is opened.
    """

    merchant: MerchantAccount
    number: str
    mode: Mode
    amount_fen: int
    channel_no: str = ""
    offered_until: datetime | None = None
    insurance: InsurancePart | None = None


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Give `amount_fen` of the captured `original` back under our `number` (out_refund_no)."""

    merchant: MerchantAccount
    number: str
    amount_fen: int
    original: OrderReference
    reason: str


@dataclass(frozen=True, slots=True)
class PeriodRule:
    """What a periodic agreement (周期扣款) allows: how often, from when, how much at once."""

    every: int
    unit: str  # DAY | MONTH
    first_on: date
    single_fen: int
    total_fen: int | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class AgreementOrder:
    """Ask the payer to sign a deduction agreement (签约) under our `contract_code`."""

    merchant: MerchantAccount
    contract_code: str
    plan_id: str
    display_name: str
    return_url: str
    period: PeriodRule | None = None


@dataclass(frozen=True, slots=True)
class AgreementReference:
    """Which agreement to query or end."""

    merchant: MerchantAccount
    contract_code: str
    plan_id: str
    contract_id: str = ""


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """Pay `amount_fen` out to a wallet whose owner bears `payee_name` (实名付款)."""

    merchant: MerchantAccount
    number: str
    amount_fen: int
    payee: str = field(repr=False)
    payee_kind: PayeeKind
    payee_name: str = field(repr=False)  # compared by the channel; never empty
    title: str
