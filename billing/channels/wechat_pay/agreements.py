"""Agreements (签约): the link to sign, what became of it, and its end.

A failed signing is never notified; only the query tells. The payer may end an agreement in WeChat
at any time, so an active one is a fact of the last answer, not of now.
"""

from __future__ import annotations

from urllib.parse import urlencode

from billing.channels import answers
from billing.channels.base import (
    AgreementOrder,
    AgreementReference,
    ChannelAnswer,
    NoticeKind,
    Operation,
)
from core import clock
from core.crypto import mask_name
from core.outcomes import Outcome

from . import verdicts
from .account import notify_url
from .texts import NAME_BYTES, text_cut
from .v2_client import V2Reply, v2_call
from .v2_signing import fields_signed

VERSION = "1.0"
STATES = {"0": Outcome.SUCCEEDED, "1": Outcome.DECLINED, "9": Outcome.PENDING}
CONTRACT_NOT_FOUND = frozenset(
    {"CONTRACT_NOT_EXIST", "CONTRACT_NOT_EXISTS", "CONTRACTNOTEXIST", "CONTRACT_NOT_EXISTED"}
)
CONTRACT_ENDED = CONTRACT_NOT_FOUND | {"CONTRACT_TERMINATED", "CONTRACT_EXPIRED"}


def sign_url(order: AgreementOrder) -> str:
    """The page in WeChat on which the payer signs.

    The channel returns to the page it was opened from (`return_web`); it takes no address, so
    `order.return_url` must be the page that links here.
    """
    account = order.merchant
    now = clock.now()
    fields = {
        "appid": account.app_id,
        "mch_id": account.merchant_no,
        "plan_id": order.plan_id,
        "contract_code": order.contract_code,
        # Digits only, rising; used by the channel for order, not for look-up.
        "request_serial": f"{int(now.timestamp())}{now.microsecond // 1000:03d}",
        # Shown to whoever holds the phone, and kept by the channel: never the whole name.
        "contract_display_account": text_cut(mask_name(order.display_name), NAME_BYTES),
        "notify_url": notify_url(account, NoticeKind.AGREEMENT),
        "version": VERSION,
        "timestamp": str(int(now.timestamp())),
        "return_web": "1",
    }
    # The signature covers the plain values; only the link carries them encoded.
    query = urlencode(fields_signed(fields, account=account))
    return f"{account.base_url.rstrip('/')}/papay/entrustweb?{query}"


def agreement_query(order: AgreementReference) -> ChannelAnswer:
    """SUCCEEDED = active (channel_no is the contract_id, payer_id the openid), DECLINED = none."""
    reply = v2_call(
        order.merchant,
        operation=Operation.AGREEMENT_QUERY,
        reference=order.contract_code,
        path="/papay/querycontract",
        fields=_identity(order),
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        if reply.code in CONTRACT_NOT_FOUND:
            return answers.refused(reply.code, reply.message, executed=False)
        return verdicts.query_refusal(reply.code, reply.message)
    field = _foreign(reply, order)
    if field:
        return answers.mismatch(field)
    state = reply.text("contract_state")
    ended = state == "1"
    moment = reply.text("contract_terminated_time" if ended else "contract_signed_time")
    return ChannelAnswer(
        STATES.get(state, Outcome.UNKNOWN),
        code=f"CONTRACT_STATE_{state}",
        channel_no=reply.text("contract_id"),
        occurred_at=verdicts.time_read(moment),
        executed=True,
        closed=ended,
        payer_id=reply.text("openid"),
    )


def unsign(order: AgreementReference, *, reason: str) -> ChannelAnswer:
    """End the agreement; one that is gone already counts as ended."""
    reply = v2_call(
        order.merchant,
        operation=Operation.UNSIGN,
        reference=order.contract_code,
        path="/papay/deletecontract",
        fields={
            **_identity(order),
            "contract_termination_remark": text_cut(reason or "-", 256),
        },
    )
    if isinstance(reply, ChannelAnswer):
        return reply
    if not reply.accepted:
        if reply.code in CONTRACT_ENDED:
            return ChannelAnswer(Outcome.SUCCEEDED, code=reply.code, executed=True, closed=True)
        return verdicts.query_refusal(reply.code, reply.message)
    field = _foreign(reply, order)
    if field:
        return answers.mismatch(field)
    return ChannelAnswer(
        Outcome.SUCCEEDED,
        channel_no=reply.text("contract_id") or order.contract_id,
        executed=True,
        closed=True,
    )


def _identity(order: AgreementReference) -> dict[str, str]:
    """The channel's own number where known: it stays unambiguous after signing again."""
    if order.contract_id:
        return {"contract_id": order.contract_id, "version": VERSION}
    return {
        "plan_id": order.plan_id,
        "contract_code": order.contract_code,
        "version": VERSION,
    }


def _foreign(reply: V2Reply, order: AgreementReference) -> str:
    """The first named identity that differs; a reply may leave out what it was asked by."""
    expected = {
        "contract_code": order.contract_code,
        "plan_id": order.plan_id,
        "contract_id": order.contract_id,
    }
    for name, value in expected.items():
        if value and reply.text(name) not in ("", value):
            return name
    return "" if reply.text("contract_code") or reply.text("contract_id") else "contract_id"
