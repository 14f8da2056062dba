"""Notices: proven first, read second. Both protocol generations arrive at the same addresses.

A body that starts like XML is second generation (deduction, agreement, refund of a deduction);
everything else must be a signed v3 envelope. Neither can pass as the other: each is proven by its
own key. Whether an event was seen before is the caller's unique `event_no`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from billing.channels.base import (
    CAME_BACK,
    CONFIRM_BY_QUERY,
    MISMATCH,
    ChannelAnswer,
    MerchantAccount,
    Mode,
    Notice,
    NoticeKind,
    NoticeRefused,
    NoticeReply,
)
from billing.channels.strict_json import (
    JsonObject,
    JsonRefused,
    int_get,
    object_get,
    object_read,
    text_get,
)
from core import clock
from core.outcomes import Outcome
from core.rsa2 import SignatureRefused

from . import verdicts
from .account import api_v3_key, platform_keys
from .v2_notices import v2_notice_read
from .v2_xml import fields_write
from .v3_signing import message_verify, resource_open

ALGORITHM = "AEAD_AES_256_GCM"
REFUND_EVENTS = MappingProxyType(
    {
        "REFUND.SUCCESS": "SUCCESS",
        "REFUND.ABNORMAL": CAME_BACK,
        "REFUND.CLOSED": "CLOSED",
    }
)


def notice_read(
    kind: NoticeKind, headers: Mapping[str, str], body: bytes, account: MerchantAccount
) -> Notice:
    """A proven notice, or `NoticeRefused`."""
    if body.startswith(b"<"):
        return v2_notice_read(kind, body, account)
    try:
        message_verify(headers=headers, body=body, keys=platform_keys(account), now=clock.now())
        envelope = object_read(body)
        resource = _resource_open(envelope, account)
    except (SignatureRefused, JsonRefused) as refusal:
        raise NoticeRefused(str(refusal)) from refusal
    if kind is NoticeKind.MIXED:
        return _mixed_notice(envelope, resource, account)
    if resource.get("mchid") != account.merchant_no:
        raise NoticeRefused("notice of another merchant")
    event_no = text_get(envelope, "id")
    if not event_no:
        raise NoticeRefused("envelope without id")
    if kind is NoticeKind.CAPTURE:
        return _transaction_notice(envelope, resource, account, event_no)
    if kind is NoticeKind.REFUND:
        return _refund_notice(envelope, resource, account, event_no)
    raise NoticeRefused("agreements are notified in the second generation only")


def notice_reply(*, accepted: bool, message: str) -> NoticeReply:
    """One reply for both generations: v3 reads the status code, v2 the return_code."""
    fields = {
        "return_code": "SUCCESS" if accepted else "FAIL",
        "return_msg": "OK" if accepted else message or "FAIL",
    }
    return NoticeReply(200 if accepted else 400, fields_write(fields), "text/xml; charset=utf-8")


def _resource_open(envelope: JsonObject, account: MerchantAccount) -> JsonObject:
    sealed = object_get(envelope, "resource")
    if text_get(envelope, "resource_type") != "encrypt-resource":
        raise NoticeRefused("unknown resource_type")
    if text_get(sealed, "algorithm") != ALGORITHM:
        raise NoticeRefused("unknown algorithm")
    plain = resource_open(
        key=api_v3_key(account),
        nonce=text_get(sealed, "nonce"),
        associated_data=text_get(sealed, "associated_data"),
        ciphertext=text_get(sealed, "ciphertext"),
    )
    return object_read(plain)


def _transaction_notice(
    envelope: JsonObject, resource: JsonObject, account: MerchantAccount, event_no: str
) -> Notice:
    if text_get(envelope, "event_type") != "TRANSACTION.SUCCESS":
        raise NoticeRefused("unexpected event_type")
    if resource.get("appid") != account.app_id:
        raise NoticeRefused("notice of another app")
    amount = object_get(resource, "amount")
    total, currency = int_get(amount, "total"), text_get(amount, "currency")
    number, channel_no = text_get(resource, "out_trade_no"), text_get(resource, "transaction_id")
    if not number or not channel_no or total is None or not currency:
        raise NoticeRefused("notice without number or amount")
    state = text_get(resource, "trade_state")
    # NATIVE stands for "a pay link": a failed try stays PENDING, as it may be tried again.
    outcome = verdicts.state_outcome(state, Mode.NATIVE)
    code = "" if state == "SUCCESS" else state or "NO_STATE"
    if currency != verdicts.CURRENCY:
        outcome, code = Outcome.UNKNOWN, MISMATCH
    return Notice(
        kind=NoticeKind.CAPTURE,
        event_no=event_no,
        merchant_no=account.merchant_no,
        app_id=account.app_id,
        number=number,
        currency=currency,
        answer=ChannelAnswer(
            outcome,
            code=code,
            channel_no=channel_no,
            amount_fen=total,
            occurred_at=verdicts.time_read(text_get(resource, "success_time")),
            executed=True,
            closed=state in verdicts.CLOSED_STATES,
            payer_id=text_get(object_get(resource, "payer"), "openid"),
        ),
    )


def _mixed_notice(envelope: JsonObject, resource: JsonObject, account: MerchantAccount) -> Notice:
    """It names no transaction and no merchant, only the app; sealed under our own key it rings, and
    cash and insurance are each asked for."""
    event_no, number = text_get(envelope, "id"), text_get(resource, "out_trade_no")
    if text_get(envelope, "event_type") != "MEDICAL_INSURANCE.SUCCESS":
        raise NoticeRefused("unexpected event_type")
    if resource.get("appid") != account.app_id:
        raise NoticeRefused("notice of another app")
    if not event_no or not number:
        raise NoticeRefused("notice without number")
    return Notice(
        kind=NoticeKind.MIXED,
        event_no=event_no,
        merchant_no=account.merchant_no,
        app_id=account.app_id,
        number=number,
        answer=ChannelAnswer(Outcome.UNKNOWN, code=CONFIRM_BY_QUERY, executed=True),
    )


def _refund_notice(
    envelope: JsonObject, resource: JsonObject, account: MerchantAccount, event_no: str
) -> Notice:
    status = text_get(resource, "refund_status")
    if not status or REFUND_EVENTS.get(text_get(envelope, "event_type")) != status:
        raise NoticeRefused("event_type and refund_status do not belong together")
    number, original = text_get(resource, "out_refund_no"), text_get(resource, "out_trade_no")
    refund_fen = int_get(object_get(resource, "amount"), "refund")
    if not number or not original or refund_fen is None:
        raise NoticeRefused("notice without number or amount")
    outcome, code = verdicts.REFUND_STATES[status]
    return Notice(
        kind=NoticeKind.REFUND,
        event_no=event_no,
        merchant_no=account.merchant_no,
        app_id=account.app_id,  # a refund notice names the merchant only
        number=number,
        original_number=original,
        answer=ChannelAnswer(
            outcome,
            code=code,
            channel_no=text_get(resource, "refund_id"),
            amount_fen=refund_fen,
            occurred_at=verdicts.time_read(text_get(resource, "success_time")),
            executed=True,
        ),
    )
