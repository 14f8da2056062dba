"""WeChat Pay: both protocol generations behind the channel boundary.

Nouns: order, deduction (委托代扣), agreement, refund, notice. v3 (JSON, RSA) carries native, h5,
jsapi and payment-code orders; v2 (XML, MD5 or HMAC-SHA256, mutual TLS for refunds) carries
agreements and their deductions. Invariants: nothing definite is believed without a valid signature;
an answer about another number, merchant, app, amount or currency is UNKNOWN; a code in no table is
UNKNOWN; a refund keeps its number. Refuses: verbs the mode does not have, notices that are not
proven.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
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
)
from core.outcomes import Unanswered

from . import (
    account_check,
    agreements,
    med_ins,
    notices,
    papay,
    v2_refunds,
    v3_order_states,
    v3_orders,
    v3_refunds,
)

__all__ = ["WechatPay"]

_CAPTURES = MappingProxyType(
    {
        Mode.AGREEMENT: papay.deduct,
        Mode.SCAN: v3_orders.codepay,
        Mode.NATIVE: v3_orders.native,
        Mode.H5: v3_orders.h5,
        Mode.JSAPI: v3_orders.jsapi,
        Mode.MIXED: med_ins.capture,
    }
)


class WechatPay:
    """The adapter. Stateless: keys are cached by their text, connections by core.outbound."""

    code = "wechat_pay"
    capabilities = frozenset(
        {Capability.AGREEMENT, Capability.PAY_LINK, Capability.JSAPI, Capability.MIXED}
    )
    unanswered: Mapping[Operation, Unanswered] = MappingProxyType(
        {
            Operation.SIGN: Unanswered.RESEND,  # a link is built, nothing is sent
            Operation.UNSIGN: Unanswered.RESEND,  # an agreement already gone answers as ended
            Operation.CAPTURE: Unanswered.QUERY_FIRST,
            Operation.QUERY: Unanswered.RESEND,
            Operation.CLOSE: Unanswered.RESEND,
            Operation.REVERSE: Unanswered.RESEND,  # "no answer or error: call again"
            Operation.REFUND: Unanswered.RESEND,  # the same out_refund_no is paid once
            Operation.REFUND_QUERY: Unanswered.RESEND,
            Operation.AGREEMENT_QUERY: Unanswered.RESEND,
        }
    )
    agreement_gone = agreements.CONTRACT_NOT_FOUND
    refund_gap_s = 60
    secret_names = account_check.NAMES
    auth_code_form = v3_orders.PAYMENT_CODE

    def capture(self, order: CaptureOrder) -> ChannelAnswer:
        send = _CAPTURES.get(order.mode)
        if send is None:
            raise ValueError(f"wechat_pay does not capture by {order.mode}")
        return send(order)

    def query(self, order: OrderReference) -> ChannelAnswer:
        if order.mode is Mode.AGREEMENT:
            return papay.deduction_query(order)
        if order.mode is Mode.MIXED:
            return med_ins.query(order)
        return v3_order_states.order_query(order)

    def insurance_query(self, order: OrderReference) -> ChannelAnswer:
        return med_ins.insurance_query(order)

    def insurance_returned(
        self, order: OrderReference, *, refund_no: str, at: datetime
    ) -> ChannelAnswer:
        return med_ins.insurance_returned(order, refund_no=refund_no, at=at)

    def close(self, order: OrderReference) -> ChannelAnswer:
        if order.mode is Mode.AGREEMENT:
            return papay.deduction_close(order)
        if order.mode is Mode.SCAN:
            # Reversing instead would return a payment that may just have succeeded.
            raise ValueError("a payment-code order is reversed, not closed")
        return v3_order_states.order_close(order)

    def reverse(self, order: OrderReference) -> ChannelAnswer:
        if order.mode is not Mode.SCAN:
            raise ValueError("only a payment-code order is reversed")
        return v3_order_states.order_reverse(order)

    def refund(self, order: RefundOrder) -> ChannelAnswer:
        if order.original.mode is Mode.AGREEMENT:
            return v2_refunds.refund(order)
        return v3_refunds.refund(order)

    def refund_query(self, order: RefundOrder) -> ChannelAnswer:
        if order.original.mode is Mode.AGREEMENT:
            return v2_refunds.refund_query(order)
        return v3_refunds.refund_query(order)

    def parse_notice(
        self, kind: NoticeKind, headers: Mapping[str, str], body: bytes, account: MerchantAccount
    ) -> Notice:
        return notices.notice_read(kind, headers, body, account)

    def notice_reply(self, kind: NoticeKind, *, accepted: bool, message: str) -> NoticeReply:
        return notices.notice_reply(accepted=accepted, message=message)

    def account_faults(self, account: MerchantAccount, *, agreements: bool) -> list[str]:
        return account_check.account_faults(account, agreements=agreements)

    def sign_url(self, order: AgreementOrder) -> str:
        return agreements.sign_url(order)

    def agreement_query(self, order: AgreementReference) -> ChannelAnswer:
        return agreements.agreement_query(order)

    def unsign(self, order: AgreementReference, *, reason: str) -> ChannelAnswer:
        return agreements.unsign(order, reason=reason)
