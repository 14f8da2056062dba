"""Alipay behind the channel boundary: one gateway, RSA2, yuan decimals.

Nouns: trade, refund, agreement (商家代扣, 周期扣款), transfer, notice. Invariants: nothing definite
is believed without a valid signature over the raw text; an answer about another number or amount
is UNKNOWN; a code in no table is UNKNOWN; "accepted" of a payment is confirmed by a query; refunds
and transfers keep their number; yuan become fen once, exactly. Refuses: verbs the mode does not
have, notices that are not proven, transfers without a name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from billing.channels.base import (
    AgreementOrder,
    AgreementReference,
    Capability,
    CaptureOrder,
    ChannelAnswer,
    MerchantAccount,
    Mode,
    Notice,
    NoticeKind,
    NoticeReply,
    Operation,
    OrderReference,
    RefundOrder,
    TransferOrder,
)
from core.outcomes import Unanswered

from . import account_check, agreements, notices, refunds, trade_states, trades, transfers, verdicts

__all__ = ["Alipay"]

_CAPTURES = MappingProxyType(
    {
        Mode.AGREEMENT: trades.deduct,
        Mode.SCAN: trades.scan,
        Mode.NATIVE: trades.precreate,
        Mode.H5: trades.wap,
    }
)


class Alipay:
    """The adapter. Stateless: keys are cached by their text, connections by core.outbound."""

    code = "alipay"
    capabilities = frozenset({Capability.AGREEMENT, Capability.PAY_LINK, Capability.TRANSFER})
    unanswered: Mapping[Operation, Unanswered] = MappingProxyType(
        {
            Operation.SIGN: Unanswered.RESEND,  # a link is built, nothing is sent
            Operation.UNSIGN: Unanswered.RESEND,  # an agreement already gone answers as ended
            Operation.CAPTURE: Unanswered.QUERY_FIRST,  # then cancel, if it was scanned
            Operation.QUERY: Unanswered.RESEND,
            Operation.CLOSE: Unanswered.RESEND,
            Operation.REVERSE: Unanswered.RESEND,  # retry_flag Y asks for it
            Operation.REFUND: Unanswered.RESEND,  # the same out_request_no is paid once
            Operation.REFUND_QUERY: Unanswered.RESEND,
            Operation.AGREEMENT_QUERY: Unanswered.RESEND,
            Operation.TRANSFER: Unanswered.QUERY_FIRST,
            Operation.TRANSFER_QUERY: Unanswered.RESEND,
        }
    )
    agreement_gone = verdicts.AGREEMENT_GONE
    refund_gap_s = 3
    secret_names = account_check.NAMES
    auth_code_form = re.compile(r"(?:2[5-9]|30)[0-9]{14,22}")

    def capture(self, order: CaptureOrder) -> ChannelAnswer:
        send = _CAPTURES.get(order.mode)
        if send is None:
            raise ValueError(f"alipay does not capture by {order.mode}")
        return send(order)

    def query(self, order: OrderReference) -> ChannelAnswer:
        return trade_states.trade_query(order)

    def close(self, order: OrderReference) -> ChannelAnswer:
        if order.mode is Mode.SCAN:
            raise ValueError("a scanned payment is reversed, not closed")
        return trade_states.trade_close(order)

    def reverse(self, order: OrderReference) -> ChannelAnswer:
        if order.mode is not Mode.SCAN:
            # Cancelling gives a payment back that may just have succeeded.
            raise ValueError("only a scanned payment is reversed")
        return trade_states.trade_cancel(order)

    def refund(self, order: RefundOrder) -> ChannelAnswer:
        return refunds.refund(order)

    def refund_query(self, order: RefundOrder) -> ChannelAnswer:
        return refunds.refund_query(order)

    def parse_notice(
        self, kind: NoticeKind, headers: Mapping[str, str], body: bytes, account: MerchantAccount
    ) -> Notice:
        return notices.notice_read(kind, body, account)

    def notice_reply(self, kind: NoticeKind, *, accepted: bool, message: str) -> NoticeReply:
        return notices.notice_reply(accepted=accepted)

    def account_faults(self, account: MerchantAccount, *, agreements: bool) -> list[str]:
        return account_check.account_faults(account)

    def sign_url(self, order: AgreementOrder) -> str:
        return agreements.sign_url(order)

    def agreement_query(self, order: AgreementReference) -> ChannelAnswer:
        return agreements.agreement_query(order)

    def unsign(self, order: AgreementReference, *, reason: str) -> ChannelAnswer:
        return agreements.unsign(order, reason=reason)

    def transfer(self, order: TransferOrder) -> ChannelAnswer:
        return transfers.transfer(order)

    def transfer_query(self, order: TransferOrder) -> ChannelAnswer:
        return transfers.transfer_query(order)
