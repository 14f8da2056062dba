"""What an adapter is: the verbs of a channel, and of those that can more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from billing.channels.base.learnt import ChannelAnswer, Notice, NoticeReply
from billing.channels.base.orders import (
    AgreementOrder,
    AgreementReference,
    CaptureOrder,
    MerchantAccount,
    OrderReference,
    RefundOrder,
    TransferOrder,
)
from billing.channels.base.words import Capability, NoticeKind, Operation
from core.outcomes import Unanswered


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


class MixedChannel(Channel, Protocol):
    """A channel that takes insurance and cash by one password; the cash stays an ordinary capture
    of mode MIXED, these speak of the insurance part alone."""

    def insurance_query(self, order: OrderReference) -> ChannelAnswer: ...
    def insurance_returned(
        self, order: OrderReference, *, refund_no: str, at: datetime
    ) -> ChannelAnswer: ...


class TransferChannel(Channel, Protocol):
    """A channel that pays out to a person by real name; a later query may say it came back."""

    def transfer(self, order: TransferOrder) -> ChannelAnswer: ...
    def transfer_query(self, order: TransferOrder) -> ChannelAnswer: ...
