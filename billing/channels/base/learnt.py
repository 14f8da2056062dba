"""What an adapter learnt: the answer of a verb, a verified notice, or that none was believed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from billing.channels.base.words import NoticeKind
from core.outcomes import Outcome


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
