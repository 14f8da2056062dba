"""The payment channel boundary: one Protocol and frozen values; adapters import no models.

An adapter translates: it signs, sends, verifies and reads. It decides nothing about the invoice.
Amounts are fen; yuan decimals are converted once, inside the adapter. Times are aware,
Asia/Shanghai. Every verb returns a `ChannelAnswer` and never raises for what a counterparty did;
it raises only for a programming or configuration error.
"""

from __future__ import annotations

from billing.channels.base.learnt import (
    Action,
    ChannelAnswer,
    Notice,
    NoticeRefused,
    NoticeReply,
)
from billing.channels.base.orders import (
    AgreementOrder,
    AgreementReference,
    CaptureOrder,
    InsurancePart,
    MerchantAccount,
    OrderReference,
    PeriodRule,
    RefundOrder,
    TransferOrder,
)
from billing.channels.base.protocols import (
    AgreementChannel,
    Channel,
    MixedChannel,
    TransferChannel,
)
from billing.channels.base.words import (
    CAME_BACK,
    CONFIRM_BY_QUERY,
    MISMATCH,
    OFFERED_MODES,
    Capability,
    Mode,
    NoticeKind,
    Operation,
    PayeeKind,
    Source,
)

__all__ = [
    "CAME_BACK",
    "CONFIRM_BY_QUERY",
    "MISMATCH",
    "OFFERED_MODES",
    "Action",
    "AgreementChannel",
    "AgreementOrder",
    "AgreementReference",
    "Capability",
    "CaptureOrder",
    "Channel",
    "ChannelAnswer",
    "InsurancePart",
    "MerchantAccount",
    "MixedChannel",
    "Mode",
    "Notice",
    "NoticeKind",
    "NoticeRefused",
    "NoticeReply",
    "Operation",
    "OrderReference",
    "PayeeKind",
    "PeriodRule",
    "RefundOrder",
    "Source",
    "TransferChannel",
    "TransferOrder",
]
