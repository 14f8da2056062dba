"""Notices: proven first, read second. A form of fields, signed over all of them.

One address gets several things: a payment, a refund of it (its own number in `out_biz_no`), a
refund a bank sent back. A refund tells only the sum of all refunds, so it rings and is asked for.
Whether an event was seen before is the caller's unique `event_no`, the channel's notify_id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl

from billing.channels.base import (
    CONFIRM_BY_QUERY,
    ChannelAnswer,
    MerchantAccount,
    Notice,
    NoticeKind,
    NoticeRefused,
    NoticeReply,
)
from billing.channels.strict_json import JsonObject, JsonRefused, object_read, text_get
from core import clock
from core.outcomes import Outcome
from core.rsa2 import SIGN_TYPE, SignatureRefused, rsa2_verify

from . import verdicts
from .account import alipay_cert_sn, alipay_keys
from .amounts import AmountRefused, fen_read
from .plans import plan_of
from .signing import notice_text
from .texts import moment_read

MAX_BYTES = 64 * 1024
MAX_FIELDS = 100
# The last repetition comes 25 hours after the event; what is older is somebody's recording.
MAX_AGE = timedelta(hours=26)
DEPOSIT_BACK = "alipay.trade.refund.depositback.completed"
CHANGES = {"dut_user_sign": ("NORMAL", True), "dut_user_unsign": ("UNSIGN", False)}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_NUMBER = re.compile(r"[0-9A-Za-z_\-]{1,64}")
_EVENT = re.compile(r"[0-9A-Za-z_\-]{1,100}")


def notice_read(kind: NoticeKind, body: bytes, account: MerchantAccount) -> Notice:
    """A proven notice, or `NoticeRefused`. A refund is told where its payment was."""
    if kind is NoticeKind.REFUND:
        raise NoticeRefused("nothing is told at the refund address")
    fields = fields_read(body)
    _prove(fields, account)
    if fields.get("app_id") != account.app_id:
        raise NoticeRefused("notice of another app")
    _recent(fields)
    if "msg_method" in fields:
        if kind is NoticeKind.AGREEMENT:
            raise NoticeRefused("a message about a refund at the agreement address")
        return _deposit_back(fields, account)
    if kind is NoticeKind.AGREEMENT:
        return _agreement(fields, account)
    return _trade(fields, account)


def notice_reply(*, accepted: bool) -> NoticeReply:
    """The channel reads the seven letters and nothing else."""
    body = b"success" if accepted else b"fail"
    return NoticeReply(200 if accepted else 400, body, "text/plain; charset=utf-8")


def fields_read(body: bytes) -> dict[str, str]:
    """The fields of the form, each once.

    The signed text joins fields by "&" without escaping, so a value with "&" in it could be a
    genuine notice cut at other borders; the channel sends none.
    """
    if len(body) > MAX_BYTES:
        raise NoticeRefused("body is too large")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise NoticeRefused("not a form of UTF-8 fields") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise NoticeRefused("a field appears twice")
    if not all(_NAME.fullmatch(name) for name in fields):
        raise NoticeRefused("a field with an unheard name")
    if any("&" in value for value in fields.values()):
        raise NoticeRefused("a value with a separator in it")
    return fields


def _prove(fields: Mapping[str, str], account: MerchantAccount) -> None:
    if fields.get("sign_type") != SIGN_TYPE:
        raise NoticeRefused("unknown sign_type")
    if fields.get("charset", "utf-8").lower() != "utf-8":
        raise NoticeRefused("unknown charset")
    named = fields.get("alipay_cert_sn", "")
    if named and named != alipay_cert_sn(account):
        raise NoticeRefused("signed under another certificate")
    if not fields.get("sign"):
        raise NoticeRefused("not signed")
    try:
        rsa2_verify(alipay_keys(account), notice_text(fields), fields["sign"])
    except SignatureRefused as refusal:
        raise NoticeRefused(str(refusal)) from refusal


def _recent(fields: Mapping[str, str]) -> None:
    if "msg_method" in fields:
        stamp = fields.get("utc_timestamp", "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) == len("1763604000000")):
            raise NoticeRefused("message without its time")
        age = clock.now().timestamp() - int(stamp) / 1000
    else:
        at = moment_read(fields.get("notify_time", ""))
        if at is None:
            raise NoticeRefused("notice without its time")
        age = (clock.now() - at).total_seconds()
    if age > MAX_AGE.total_seconds():
        raise NoticeRefused("older than the last repetition")


def _trade(fields: Mapping[str, str], account: MerchantAccount) -> Notice:
    if fields.get("notify_type") != "trade_status_sync":
        raise NoticeRefused("unexpected notify_type")
    if fields.get("seller_id") != account.merchant_no:
        raise NoticeRefused("notice of another seller")
    number, channel_no = _need(fields, "out_trade_no"), _need(fields, "trade_no")
    try:
        total_fen = fen_read(fields.get("total_amount"))
        back_fen = fen_read(fields["refund_fee"]) if fields.get("refund_fee") else 0
    except AmountRefused as refused:
        raise NoticeRefused(f"notice without a proper amount: {refused}") from refused
    if total_fen == 0 or back_fen > total_fen:
        raise NoticeRefused("amounts that cannot be")
    if fields.get("out_biz_no"):
        return _rings(fields, account, number=_need(fields, "out_biz_no"), original=number)
    state = fields.get("trade_status", "")
    if state not in verdicts.TRADE_STATES:
        raise NoticeRefused("unknown trade_status")
    return Notice(
        kind=NoticeKind.CAPTURE,
        event_no=_event(fields),
        merchant_no=account.merchant_no,
        app_id=account.app_id,
        number=number,
        answer=ChannelAnswer(
            verdicts.TRADE_STATES[state],
            code="" if state == "TRADE_SUCCESS" else state,
            channel_no=channel_no,
            amount_fen=total_fen,
            occurred_at=moment_read(fields.get("gmt_payment", "")),
            executed=True,
            closed=state == verdicts.CLOSED_STATE,
            payer_id=fields.get("buyer_id") or fields.get("buyer_open_id", ""),
        ),
    )


def _deposit_back(fields: Mapping[str, str], account: MerchantAccount) -> Notice:
    """The payer's bank took or refused the money of a finished refund."""
    if fields["msg_method"] != DEPOSIT_BACK:
        raise NoticeRefused("unexpected msg_method")
    try:
        content: JsonObject = object_read(fields.get("biz_content", "").encode())
    except JsonRefused as refusal:
        raise NoticeRefused(f"biz_content: {refusal}") from refusal
    named = {name: text_get(content, name) for name in ("out_request_no", "out_trade_no")}
    return _rings(
        fields,
        account,
        number=_need(named, "out_request_no"),
        original=_need(named, "out_trade_no"),
    )


def _rings(
    fields: Mapping[str, str], account: MerchantAccount, *, number: str, original: str
) -> Notice:
    """Something happened to a refund of ours; its query says what."""
    return Notice(
        kind=NoticeKind.REFUND,
        event_no=_event(fields),
        merchant_no=account.merchant_no,
        app_id=account.app_id,
        number=number,
        original_number=original,
        answer=ChannelAnswer(
            Outcome.PENDING,
            code=CONFIRM_BY_QUERY,
            message=fields.get("trade_status", "") or fields.get("msg_method", ""),
            executed=True,
            retry_at=clock.now(),
        ),
    )


def _agreement(fields: Mapping[str, str], account: MerchantAccount) -> Notice:
    change = fields.get("notify_type", "")
    status, active = CHANGES.get(change, ("", False))
    if not status or fields.get("status") != status:
        raise NoticeRefused("notify_type and status do not belong together")
    payer_id = fields.get("alipay_user_id") or fields.get("alipay_open_id", "")
    plan_id = plan_of(fields.get("personal_product_code", ""), fields.get("sign_scene", ""))
    if not payer_id or not plan_id:
        raise NoticeRefused("agreement without user or scene")
    contract_id = _need(fields, "agreement_no")
    return Notice(
        kind=NoticeKind.AGREEMENT,
        event_no=_event(fields),
        merchant_no=account.merchant_no,
        app_id=account.app_id,  # an agreement's notice names the application, not the seller
        number=_need(fields, "external_agreement_no"),
        contract_id=contract_id,
        plan_id=plan_id,
        agreement_active=active,
        answer=ChannelAnswer(
            Outcome.SUCCEEDED,
            code=status,
            channel_no=contract_id,
            occurred_at=moment_read(fields.get("sign_time" if active else "unsign_time", "")),
            executed=True,
            payer_id=payer_id,
        ),
    )


def _event(fields: Mapping[str, str]) -> str:
    value = fields.get("notify_id", "")
    if not _EVENT.fullmatch(value):
        raise NoticeRefused("notice without notify_id")
    return value


def _need(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not _NUMBER.fullmatch(value):
        raise NoticeRefused(f"notice without {name}")
    return value
