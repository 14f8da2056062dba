"""Which answer of the channel is which outcome: the literal tables and their readers.

An answer speaks about the money of the order (or refund) asked about, whichever verb asked: a
`close` or `reverse` that worked is DECLINED with `closed=True`, because nothing was or stays taken.
A code that stands in no table is UNKNOWN, never DECLINED: WeChat adds codes without notice, and a
wrong DECLINED takes money twice while a wrong UNKNOWN costs one query.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

from billing.channels import answers
from billing.channels.base import CAME_BACK, ChannelAnswer, Mode, Operation
from core.outcomes import Outcome

CURRENCY = "CNY"
BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")

# "Too often": nothing is decided; the same call may be repeated with the same number.
TOO_OFTEN = frozenset(
    {"FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED", "RATELIMIT_EXCEEDED", "RATE_LIMITED"}
)
RETRY_AFTER_S = 5  # the channel names no pause; one deduction query interval
RETRY_REFUND_S = 60  # refunds of one order must lie a minute apart
RETRY_FUNDS_S = 1800  # the merchant's balance is refilled by people or the next takings

NOT_FOUND = frozenset(
    {
        "ORDER_NOT_EXIST",
        "ORDERNOTEXIST",
        "RESOURCE_NOT_EXISTS",
        "REFUNDNOTEXIST",
        "REFUND_NOT_EXIST",
    }
)
ALREADY_CLOSED = frozenset(
    {"ORDER_CLOSED", "ORDERCLOSED", "ORDER_REVERSED", "ORDERREVERSED", "TRADE_STATE_ERROR_CLOSED"}
)
ALREADY_PAID = frozenset({"ORDER_PAID", "ORDERPAID", "ORDER_HAS_BEEN_PAID"})

# Final refusals of a capture. INVALID_REQUEST and OUT_TRADE_NO_USED are left out on purpose: they
# are also what a repeated number gets, and then an order stands under it that may be paid.
# TRADE_ERROR and BANKERROR are left out because "result FAIL may still be paid".
CAPTURE_REFUSED = frozenset(
    {
        "ACCOUNT_ERROR",
        "ACCOUNTERROR",
        "APPID_MCHID_NOT_MATCH",
        "APPID_NOT_EXIST",
        "AUTHCODEEXPIRE",
        "AUTH_CODE_ERROR",
        "AUTH_CODE_EXPIRED",
        "AUTH_CODE_EXPIRE",
        "AUTH_CODE_INVALID",
        "AUTH_CODE_USED",
        "CONTRACT_NOT_EXIST",
        "CONTRACT_NOT_EXISTS",
        "CONTRACTNOTEXIST",
        "LACK_PARAMS",
        "MCHID_NOT_EXIST",
        "MCH_NOT_EXISTS",
        "NOAUTH",
        "NO_AUTH",
        "NOTENOUGH",
        "NOT_ENOUGH",
        "NOT_UTF8",
        "NOTSUPORTCARD",
        "PARAM_ERROR",
        "POST_DATA_EMPTY",
        "REQUIRE_POST_METHOD",
        "RULELIMIT",
        "RULE_LIMIT",
        "USER_ACCOUNT_ABNORMAL",
        "XML_FORMAT_ERROR",
    }
)
# Final refusals of a refund: nothing is given back under this number.
REFUND_REFUSED = frozenset(
    {
        "APPID_NOT_EXIST",
        "INVALID_REQUEST",
        "INVALID_TRANSACTIONID",
        "MCHID_NOT_EXIST",
        "MCH_NOT_EXISTS",
        "NOAUTH",
        "NO_AUTH",
        "ORDERNOTEXIST",
        "ORDER_NOT_EXIST",
        "PARAM_ERROR",
        "REFUND_FEE_INVALID",
        "REFUND_FEE_MISMATCH",
        "RESOURCE_NOT_EXISTS",
        "RULE_LIMIT",
        "TRADE_OVERDUE",
        "TRADE_STATE_ERROR",
        "USER_ACCOUNT_ABNORMAL",
    }
)
FUNDS_SHORT = frozenset({"NOT_ENOUGH", "NOTENOUGH"})

TRADE_STATES = MappingProxyType(
    {
        "SUCCESS": Outcome.SUCCEEDED,
        "REFUND": Outcome.SUCCEEDED,  # it was paid; what was refunded is the refund's own question
        "CLOSED": Outcome.DECLINED,
        "REVOKED": Outcome.DECLINED,
        "NOTPAY": Outcome.PENDING,
        "USERPAYING": Outcome.PENDING,
        "ACCEPT": Outcome.PENDING,  # deduction accepted, not yet tried
    }
)
CLOSED_STATES = frozenset({"CLOSED", "REVOKED"})
# A failed try is final where the channel itself pays (code, deduction). A patient at a pay link may
# try again until the order is closed, so there the same word is PENDING.
FAILED_STATES = frozenset({"PAYERROR", "PAY_FAIL"})
# ABNORMAL / CHANGE: the money left for an account that cannot take it and lies with the channel.
# Not final, and no query ends it: PENDING with code ABNORMAL calls a person (异常退款).
REFUND_STATES = MappingProxyType(
    {
        "SUCCESS": (Outcome.SUCCEEDED, ""),
        "PROCESSING": (Outcome.PENDING, "PROCESSING"),
        "CLOSED": (Outcome.DECLINED, "CLOSED"),
        "REFUNDCLOSE": (Outcome.DECLINED, "CLOSED"),
        "ABNORMAL": (Outcome.PENDING, CAME_BACK),
        "CHANGE": (Outcome.PENDING, CAME_BACK),
    }
)

_BEIJING_PLAIN = re.compile(r"\d{14}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def too_often(operation: Operation, headers: Mapping[str, str]) -> ChannelAnswer:
    """HTTP 429."""
    own_s = RETRY_REFUND_S if operation is Operation.REFUND else RETRY_AFTER_S
    return answers.unknown(
        "FREQUENCY_LIMITED",
        "HTTP 429",
        retry_after_s=answers.pause_s(headers, otherwise_s=own_s),
    )


def capture_refusal(code: str, message: str) -> ChannelAnswer:
    """What an error code means for a capture that was just sent."""
    if code in TOO_OFTEN:
        return answers.unknown(code, message, retry_after_s=RETRY_AFTER_S)
    if code in {"USERPAYING", "ORDER_ACCEPTED"}:
        return answers.pending(code, message, executed=True)
    if code in ALREADY_CLOSED:
        return answers.closed(code)
    if code in CAPTURE_REFUSED:
        return answers.refused(code, message)
    return answers.unknown(code, message)


def refund_refusal(code: str, message: str) -> ChannelAnswer:
    """What an error code means for a refund that was just sent."""
    if code in TOO_OFTEN:
        return answers.unknown(code, message, retry_after_s=RETRY_REFUND_S)
    if code in FUNDS_SHORT:
        return answers.unknown(code, message, retry_after_s=RETRY_FUNDS_S)
    if code in REFUND_REFUSED:
        return answers.refused(code, message)
    return answers.unknown(code, message, retry_after_s=RETRY_REFUND_S)


def query_refusal(code: str, message: str) -> ChannelAnswer:
    """What an error code means for a query: only "no such order" says anything."""
    if code in NOT_FOUND:
        return answers.not_found(code, message)
    if code in TOO_OFTEN:
        return answers.unknown(code, message, retry_after_s=RETRY_AFTER_S)
    return answers.unknown(code, message)


def ending_refusal(code: str, message: str) -> ChannelAnswer:
    """What an error code means for a close or reverse."""
    if code in ALREADY_CLOSED:
        return answers.closed(code)
    if code in ALREADY_PAID:
        return answers.unknown(code, message, executed=True)
    return query_refusal(code, message)


def state_outcome(state: str, mode: Mode) -> Outcome:
    """The outcome of a trade state; an unheard one is UNKNOWN."""
    if state in FAILED_STATES:
        final = mode in (Mode.SCAN, Mode.AGREEMENT)
        return Outcome.DECLINED if final else Outcome.PENDING
    return TRADE_STATES.get(state, Outcome.UNKNOWN)


def time_read(text: str) -> datetime | None:
    """RFC 3339, or the Beijing forms without zone of the second generation; else none."""
    try:
        if _BEIJING_PLAIN.fullmatch(text):
            digits = re.sub(r"\D", "", text)
            return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
        moment = datetime.fromisoformat(text)
        moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment.astimezone(BEIJING) if moment.tzinfo else None
