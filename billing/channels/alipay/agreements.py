"""Agreements (商家代扣, 周期扣款): the link to sign, what became of it, and its end.

The payer may end an agreement in the wallet at any time, so an active one is a fact of the last
answer, not of now. Who signed is only what the channel itself says: its notice or its query.
"""

from __future__ import annotations

from billing.channels import answers
from billing.channels.base import (
    AgreementOrder,
    AgreementReference,
    ChannelAnswer,
    NoticeKind,
    Operation,
    PeriodRule,
)
from billing.channels.strict_json import JsonObject
from core.crypto import mask_name
from core.outcomes import Outcome

from . import verdicts
from .account import notify_url
from .amounts import yuan_text
from .gateway import GatewayReply, gateway_call, page_url
from .plans import identity_of, is_periodic, product_of
from .texts import moment_read, text_cut

LAST_MONTHLY_DAY = 28
LEAST_DAYS = 7
LOGON_LENGTH = 100


def sign_url(order: AgreementOrder) -> str:
    """The page on which the payer signs, in the wallet or by a code."""
    content: JsonObject = {
        **product_of(order.plan_id),
        "external_agreement_no": order.contract_code,
        # Shown to whoever holds the phone, and kept by the channel: never the whole name.
        "external_logon_id": text_cut(mask_name(order.display_name), LOGON_LENGTH),
        "access_params": {"channel": "ALIPAYAPP"},
        "agreement_effect_type": "DIRECT",
    }
    if is_periodic(order.plan_id) != (order.period is not None):
        raise ValueError("a periodic plan needs a period rule, and only it has one")
    if order.period is not None:
        content["period_rule_params"] = _period(order.period)
    return page_url(
        order.merchant,
        method="alipay.user.agreement.page.sign",
        content=content,
        notify_url=notify_url(order.merchant, NoticeKind.AGREEMENT),
        return_url=order.return_url,
    )


def agreement_query(order: AgreementReference) -> ChannelAnswer:
    """SUCCEEDED = active (channel_no is the agreement_no, payer_id the user), DECLINED = none."""
    reply = gateway_call(
        order.merchant,
        operation=Operation.AGREEMENT_QUERY,
        reference=order.contract_code or order.contract_id,
        method="alipay.user.agreement.query",
        content=_identity(order),
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        if reply.reason in verdicts.AGREEMENT_NOT_FOUND:
            return answers.refused(reply.reason, reply.message, executed=False)
        return verdicts.query_refusal(reply.reason, reply.message)
    field = _foreign(reply, order)
    if field:
        return answers.mismatch(field)
    state = reply.text("status")
    outcome = verdicts.AGREEMENT_STATES.get(state, Outcome.UNKNOWN)
    payer_id = reply.text("principal_id") or reply.text("principal_open_id")
    if outcome is Outcome.SUCCEEDED and not (payer_id and reply.text("agreement_no")):
        return answers.unknown("UNREADABLE", "an active agreement without its number or user")
    return ChannelAnswer(
        outcome,
        code=state or "NO_STATE",
        channel_no=reply.text("agreement_no"),
        occurred_at=moment_read(reply.text("sign_time")),
        executed=True,
        closed=outcome is Outcome.DECLINED,
        payer_id=payer_id,
    )


def unsign(order: AgreementReference, *, reason: str) -> ChannelAnswer:
    """End the agreement; one that is gone already counts as ended. The channel takes no reason."""
    del reason
    reply = gateway_call(
        order.merchant,
        operation=Operation.UNSIGN,
        reference=order.contract_code or order.contract_id,
        method="alipay.user.agreement.unsign",
        content=_identity(order),
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if reply.accepted or reply.reason in verdicts.AGREEMENT_NOT_FOUND:
        return ChannelAnswer(
            Outcome.SUCCEEDED,
            code="" if reply.accepted else reply.reason,
            channel_no=order.contract_id,
            executed=True,
            closed=True,
        )
    return verdicts.query_refusal(reply.reason, reply.message)


def _identity(order: AgreementReference) -> JsonObject:
    """The channel's own number where known: it stays unambiguous after signing again."""
    if order.contract_id:
        return {"agreement_no": order.contract_id}
    return {"external_agreement_no": order.contract_code, **identity_of(order.plan_id)}


def _foreign(reply: GatewayReply, order: AgreementReference) -> str:
    """The first named identity that differs; a reply may leave out what it was asked by."""
    scene = order.plan_id and identity_of(order.plan_id)["sign_scene"]
    expected = {
        "external_agreement_no": order.contract_code,
        "agreement_no": order.contract_id,
        "sign_scene": scene,
    }
    for name, value in expected.items():
        if value and reply.text(name) not in ("", value):
            return name
    named = reply.text("external_agreement_no") or reply.text("agreement_no")
    return "" if named else "agreement_no"


def _period(rule: PeriodRule) -> JsonObject:
    """The rule as the channel takes it; what it would refuse is refused here, before anybody signs.

    Raises ValueError.
    """
    if rule.unit not in ("DAY", "MONTH") or rule.every < 1 or rule.single_fen < 1:
        raise ValueError("a period is a number of DAY or MONTH and an amount above zero")
    if rule.unit == "MONTH" and rule.first_on.day > LAST_MONTHLY_DAY:
        raise ValueError("a monthly deduction falls on the 28th at the latest")
    if rule.unit == "DAY" and rule.every < LEAST_DAYS:
        raise ValueError("a period of days is at least a week")
    params: JsonObject = {
        "period_type": rule.unit,
        "period": str(rule.every),
        "execute_time": rule.first_on.isoformat(),
        "single_amount": yuan_text(rule.single_fen),
    }
    if rule.total_fen is not None:
        params["total_amount"] = yuan_text(rule.total_fen)
    if rule.times is not None:
        params["total_payments"] = str(rule.times)
    return params
