"""Payments out of the hospital's account to a wallet, by real name (实名付款).

The payee confirms nothing, so a success is money gone. The same out_biz_no is paid once; an unclear
answer is queried, and a number the channel does not know is sent again as it was.
"""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

from billing.channels import answers
from billing.channels.base import ChannelAnswer, Operation, PayeeKind, TransferOrder
from core.outcomes import Outcome

from . import verdicts
from .account import certificate_mode
from .amounts import AmountRefused, fen_get, yuan_text
from .gateway import GatewayReply, gateway_call
from .texts import TITLE_LENGTH, moment_read, text_cut

LEAST_FEN = 10
PRODUCT = {"product_code": "TRANS_ACCOUNT_NO_PWD", "biz_scene": "DIRECT_TRANSFER"}
IDENTITY_TYPES = {
    PayeeKind.USER_ID: "ALIPAY_USER_ID",
    PayeeKind.LOGIN: "ALIPAY_LOGON_ID",
    PayeeKind.OPEN_ID: "ALIPAY_OPEN_ID",
}


def transfer(order: TransferOrder) -> ChannelAnswer:
    """Send the money. Raises ValueError without a name, ImproperlyConfigured without certificates.

    The name is compared by the channel only when it is given, so it is always given.
    """
    if not order.payee_name.strip() or not order.payee.strip():
        raise ValueError("a transfer names its payee")
    if not certificate_mode(order.merchant):
        raise ImproperlyConfigured("alipay: transfers need the certificates of the application")
    if order.amount_fen < LEAST_FEN:
        return answers.refused("INVALID_PARAMETER", executed=False)
    reply = gateway_call(
        order.merchant,
        operation=Operation.TRANSFER,
        reference=order.number,
        method="alipay.fund.trans.uni.transfer",
        content={
            **PRODUCT,
            "out_biz_no": order.number,
            "trans_amount": yuan_text(order.amount_fen),
            "order_title": text_cut(order.title, TITLE_LENGTH),
            "payee_info": {
                "identity": order.payee,
                "identity_type": IDENTITY_TYPES[order.payee_kind],
                "name": order.payee_name,
            },
        },
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.refusal(reply.reason, reply.message, final=verdicts.TRANSFER_REFUSED)
    return _transfer_answer(reply, order)


def transfer_query(order: TransferOrder) -> ChannelAnswer:
    """How a transfer stands; long after a success it may say that the money came back."""
    reply = gateway_call(
        order.merchant,
        operation=Operation.TRANSFER_QUERY,
        reference=order.number,
        method="alipay.fund.trans.common.query",
        content={**PRODUCT, "out_biz_no": order.number},
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        return verdicts.query_refusal(reply.reason, reply.message)
    return _transfer_answer(reply, order)


def _transfer_answer(reply: GatewayReply, order: TransferOrder) -> ChannelAnswer:
    try:
        amount_fen = fen_get(reply.data, "trans_amount")
    except AmountRefused as refused:
        return answers.unknown("UNREADABLE", str(refused))
    if reply.text("out_biz_no") != order.number:
        return answers.mismatch("out_biz_no")
    if amount_fen not in (None, order.amount_fen):
        return answers.mismatch("trans_amount", amount_fen)
    status = reply.text("status")
    outcome, code = verdicts.TRANSFER_STATES.get(status, (Outcome.UNKNOWN, status or "NO_STATE"))
    return ChannelAnswer(
        outcome,
        code=reply.text("error_code") if code == "FAIL" and reply.text("error_code") else code,
        message=reply.text("fail_reason")[:256],
        channel_no=reply.text("order_id"),
        amount_fen=amount_fen,
        occurred_at=moment_read(reply.text("pay_date") or reply.text("trans_date")),
        executed=True,
    )
