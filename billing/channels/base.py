"""The payment channel boundary: one Protocol and frozen values; adapters import no models.

An adapter translates: it signs, sends, verifies and reads. It decides nothing about the invoice.
Amounts are fen; yuan decimals are converted once, inside the adapter. Times are aware,
Asia/Shanghai. Every verb returns a `ChannelAnswer` and never raises for what a counterparty did;
it raises only for a programming or configuration error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from core.outcomes import Outcome, Unanswered

CONFIRM_BY_QUERY = "CONFIRM_BY_QUERY"  # a notice that only rings: what it claims is asked for first


class Mode(StrEnum):
    """How the payer takes part in a capture."""

    AGREEMENT = "agreement"  # 委托代扣: a signed contract, nobody touches a phone
    SCAN = "scan"  # 付款码: the payer's code is read by the window
    NATIVE = "native"  # a QR code the payer scans
    H5 = "h5"  # a link opened in the phone's browser
    JSAPI = "jsapi"  # asked for inside the wallet's own browser, by the payer's id there
    CASH = "cash"  # banknotes at the window


# What a payer opens by their own hand; until then no money is under way.
OFFERED_MODES = (Mode.NATIVE, Mode.H5, Mode.JSAPI)


class Operation(StrEnum):
    """The verbs of a channel; also the names under which faults and calls are recorded."""

    SIGN = "sign"
    UNSIGN = "unsign"
    CAPTURE = "capture"
    QUERY = "query"
    CLOSE = "close"
    REVERSE = "reverse"
    REFUND = "refund"
    REFUND_QUERY = "refund_query"
    AGREEMENT_QUERY = "agreement_query"
    TRANSFER = "transfer"
    TRANSFER_QUERY = "transfer_query"


class Capability(StrEnum):
    """What a channel can do beyond capture and query."""

    AGREEMENT = "agreement"
    SCAN = "scan"
    PAY_LINK = "pay_link"
    JSAPI = "jsapi"  # with PAY_LINK: also inside the wallet's own browser
    REFUND = "refund"
    REVERSE = "reverse"
    CLOSE = "close"
    TRANSFER = "transfer"


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


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Give `amount_fen` of the captured `original` back under our `number` (out_refund_no)."""

    merchant: MerchantAccount
    number: str
    amount_fen: int
    original: OrderReference
    reason: str


@dataclass(frozen=True, slots=True)
class Action:
    """What the payer must do: open a url, scan a qr, show their code, or hand a signed request
    (`wallet`, a JSON object) to the wallet that shows the page."""

    type: str  # url | qr | show_code | wallet
    value: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ChannelAnswer:
    """What a verb learnt. `amount_fen` is the channel's word and is compared by the caller.

    `executed` is None unless the answer proves it: False = the channel knows no such order (or the
    call never left), True = it has it. `retry_at` names when the same call may be repeated, for an
    answer such as "too often". `code` is the channel's machine-readable reason.
    """

    outcome: Outcome
    code: str = ""
    message: str = ""
    channel_no: str = ""
    amount_fen: int | None = None
    occurred_at: datetime | None = None
    action: Action | None = None
    executed: bool | None = None
    closed: bool = False  # the order is confirmed closed or reversed: nothing was or stays taken
    payer_id: str = ""
    retry_at: datetime | None = None


class Source(StrEnum):
    """By which door the answer came."""

    SEND = "send"
    QUERY = "query"
    NOTICE = "notice"


class NoticeKind(StrEnum):
    CAPTURE = "capture"
    REFUND = "refund"
    AGREEMENT = "agreement"


@dataclass(frozen=True, slots=True)
class Notice:
    """A verified notice. `event_no` makes a repeated delivery recognisable."""

    kind: NoticeKind
    event_no: str
    merchant_no: str
    app_id: str
    number: str  # our out_trade_no, out_refund_no or contract_code
    answer: ChannelAnswer
    original_number: str = ""
    contract_id: str = ""
    plan_id: str = ""
    agreement_active: bool | None = None
    currency: str = "CNY"


@dataclass(frozen=True, slots=True)
class NoticeReply:
    """What the channel must read back."""

    status: int
    body: bytes
    content_type: str


class NoticeRefused(Exception):
    """Missing, wrong, old or foreign signature, or an unreadable body: nothing was believed."""


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


class PayeeKind(StrEnum):
    """By what a payee is known to the channel."""

    USER_ID = "user_id"
    LOGIN = "login"  # a phone number or mail address; needs the real name
    OPEN_ID = "open_id"


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


class Channel(Protocol):
    """One payment channel. Stateless; built once by the registry.

    An order that must end unpaid is reversed when it was scanned, and closed in every other mode.
    """

    code: str
    capabilities: frozenset[Capability]
    unanswered: Mapping[Operation, Unanswered]
    refund_gap_s: int  # least seconds between two refunds of one order; 0 = none
    auth_code_form: re.Pattern[str] | None  # its payers' codes (付款码), as a scanner types them

    def capture(self, order: CaptureOrder) -> ChannelAnswer: ...
    def query(self, order: OrderReference) -> ChannelAnswer: ...
    def close(self, order: OrderReference) -> ChannelAnswer: ...
    def reverse(self, order: OrderReference) -> ChannelAnswer: ...
    def refund(self, order: RefundOrder) -> ChannelAnswer: ...
    def refund_query(self, order: RefundOrder) -> ChannelAnswer: ...
    def parse_notice(
        self, kind: NoticeKind, headers: Mapping[str, str], body: bytes, account: MerchantAccount
    ) -> Notice: ...
    def notice_reply(self, kind: NoticeKind, *, accepted: bool, message: str) -> NoticeReply: ...


class AgreementChannel(Channel, Protocol):
    """A channel with deduction agreements (委托代扣).

    `agreement_gone` holds the codes of a refused deduction that speak of the agreement itself: it
    may have ended in the wallet, its notice lost, so the channel is asked whether it stands.
    """

    agreement_gone: frozenset[str]

    def sign_url(self, order: AgreementOrder) -> str: ...
    def agreement_query(self, order: AgreementReference) -> ChannelAnswer: ...
    def unsign(self, order: AgreementReference, *, reason: str) -> ChannelAnswer: ...


class TransferChannel(Channel, Protocol):
    """A channel that pays out to a person by real name; a later query may say it came back."""

    def transfer(self, order: TransferOrder) -> ChannelAnswer: ...
    def transfer_query(self, order: TransferOrder) -> ChannelAnswer: ...
