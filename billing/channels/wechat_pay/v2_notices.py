"""Notices of the second protocol generation: deduction, agreement, refund of a deduction.

Deduction and agreement notices are signed and believed. A refund notice is only encrypted, in
blocks that can be cut out and put together anew, and names nothing that proves its age: it is a
doorbell. Its answer is PENDING with code CONFIRM_BY_QUERY and what it claims as the message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping

from billing.channels.base import (
    CONFIRM_BY_QUERY,
    MISMATCH,
    ChannelAnswer,
    MerchantAccount,
    Mode,
    Notice,
    NoticeKind,
    NoticeRefused,
)
from core import clock
from core.outcomes import Outcome

from . import verdicts
from .papay import fen_read
from .v2_signing import V2SignatureRefused, fields_verify, req_info_open
from .v2_xml import XmlRefused, fields_read

CHANGES = {"ADD": True, "DELETE": False}
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")


def v2_notice_read(kind: NoticeKind, body: bytes, account: MerchantAccount) -> Notice:
    """A proven notice, or `NoticeRefused`."""
    try:
        fields = fields_read(body)
        if fields.get("return_code") != "SUCCESS":
            raise NoticeRefused("notice without return_code SUCCESS")
        if kind is NoticeKind.REFUND:
            return _refund_notice(fields, account)
        fields_verify(fields, account=account)
    except (XmlRefused, V2SignatureRefused) as refusal:
        raise NoticeRefused(str(refusal)) from refusal
    if kind is NoticeKind.CAPTURE:
        return _deduction_notice(fields, account)
    return _agreement_notice(fields, account)


def _deduction_notice(fields: Mapping[str, str], account: MerchantAccount) -> Notice:
    _belongs(fields, account, app_named=True)
    number = _number(fields, "out_trade_no")
    result, state = fields.get("result_code", ""), fields.get("trade_state", "")
    if result not in ("SUCCESS", "FAIL"):
        raise NoticeRefused("notice without result_code")
    currency = fields.get("fee_type") or verdicts.CURRENCY
    amount_fen = fen_read(fields.get("total_fee", ""))
    outcome, code = _deduction_outcome(result, state, fields.get("err_code", ""))
    if currency != verdicts.CURRENCY:
        outcome, code = Outcome.UNKNOWN, MISMATCH
    channel_no = fields.get("transaction_id", "")
    if outcome is Outcome.SUCCEEDED and (amount_fen is None or not channel_no):
        raise NoticeRefused("success without amount or transaction_id")
    return Notice(
        kind=NoticeKind.CAPTURE,
        event_no=_event_no("PAP", channel_no or number, result, state, code),
        merchant_no=account.merchant_no,
        app_id=account.app_id,
        number=number,
        contract_id=fields.get("contract_id", ""),
        currency=currency,
        answer=ChannelAnswer(
            outcome,
            code=code,
            message=fields.get("err_code_des", "")[:256],
            channel_no=channel_no,
            amount_fen=amount_fen,
            occurred_at=verdicts.time_read(fields.get("time_end", "")),
            executed=True,
            closed=state in verdicts.CLOSED_STATES,
            payer_id=fields.get("openid", ""),
        ),
    )


def _deduction_outcome(result: str, state: str, err_code: str) -> tuple[Outcome, str]:
    """The outcome of result_code and trade_state, which must agree; else the query decides."""
    by_state = verdicts.state_outcome(state, Mode.AGREEMENT)
    if result == "SUCCESS":
        return by_state, "" if state == "SUCCESS" else state or "NO_STATE"
    if by_state is Outcome.SUCCEEDED:
        return Outcome.UNKNOWN, err_code or "CONTRADICTION"
    if by_state is Outcome.DECLINED:
        return Outcome.DECLINED, err_code or state
    if err_code in verdicts.CAPTURE_REFUSED:
        return Outcome.DECLINED, err_code
    return Outcome.UNKNOWN, err_code or state or "RESULT_FAIL"


def _agreement_notice(fields: Mapping[str, str], account: MerchantAccount) -> Notice:
    _belongs(fields, account, app_named=False)
    if fields.get("result_code") != "SUCCESS":
        raise NoticeRefused("a failed signing is never notified")
    change = fields.get("change_type", "")
    if change not in CHANGES:
        raise NoticeRefused("unknown change_type")
    openid = fields.get("openid", "")
    if not openid:
        raise NoticeRefused("agreement without openid")
    contract_id = _number(fields, "contract_id")
    operated = fields.get("operate_time", "")
    return Notice(
        kind=NoticeKind.AGREEMENT,
        event_no=_event_no("AGR", contract_id, change, operated),
        merchant_no=account.merchant_no,
        app_id=account.app_id,
        number=_number(fields, "contract_code"),
        contract_id=contract_id,
        plan_id=_number(fields, "plan_id"),
        agreement_active=CHANGES[change],
        answer=ChannelAnswer(
            Outcome.SUCCEEDED,
            code=change,
            message=fields.get("contract_termination_mode", "")[:64],
            channel_no=contract_id,
            occurred_at=verdicts.time_read(operated),
            executed=True,
            payer_id=openid,
        ),
    )


def _refund_notice(outer: Mapping[str, str], account: MerchantAccount) -> Notice:
    _belongs(outer, account, app_named=True)
    try:
        sealed = base64.b64decode(outer.get("req_info", ""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoticeRefused("req_info is not base64") from error
    fields = fields_read(req_info_open(sealed, account=account), root="root")
    status = fields.get("refund_status", "")
    if status not in verdicts.REFUND_STATES:
        raise NoticeRefused("unknown refund_status")
    amount_fen = fen_read(fields.get("refund_fee", ""))
    if amount_fen is None or fen_read(fields.get("total_fee", "")) is None:
        raise NoticeRefused("notice without amount")
    refund_id = _number(fields, "refund_id")
    return Notice(
        kind=NoticeKind.REFUND,
        event_no=_event_no("REF", refund_id, status, hashlib.sha256(sealed).hexdigest()[:16]),
        merchant_no=account.merchant_no,
        app_id=account.app_id,
        number=_number(fields, "out_refund_no"),
        original_number=_number(fields, "out_trade_no"),
        answer=ChannelAnswer(
            Outcome.PENDING,
            code=CONFIRM_BY_QUERY,
            message=status,
            channel_no=refund_id,
            amount_fen=amount_fen,
            executed=True,
            retry_at=clock.now(),  # the query may be made at once
        ),
    )


def _belongs(fields: Mapping[str, str], account: MerchantAccount, *, app_named: bool) -> None:
    """Agreement notices do not always name the app; where one is named it must be ours."""
    if fields.get("mch_id") != account.merchant_no:
        raise NoticeRefused("notice of another merchant")
    app_id = fields.get("appid", "")
    if app_id != account.app_id and (app_id or app_named):
        raise NoticeRefused("notice of another app")


def _number(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not _NUMBER.fullmatch(value):
        raise NoticeRefused(f"notice without {name}")
    return value


def _event_no(*parts: str) -> str:
    """Recognises the same event again; hashed, because its parts have no common length."""
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]
    return f"{parts[0]}-{digest}"
