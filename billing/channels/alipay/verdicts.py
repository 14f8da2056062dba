"""Which answer of Alipay is which outcome: the literal tables and their readers.

An answer speaks about the money of the order (refund, transfer) asked about, whichever verb asked.
Codes are the gateway's `sub_code`; its text must not be read. A code in no table is UNKNOWN, never
DECLINED: a wrong DECLINED takes money twice while a wrong UNKNOWN costs one query. 10000 of a
payment says that the request was taken, so it is believed only after a query.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from billing.channels import answers
from billing.channels.base import ChannelAnswer
from core.outcomes import Outcome

ACCEPTED = "10000"
WAITING = "10003"  # the payer types a password
CALL_LIMITED = "40005"

RETRY_AFTER_S = 5
RETRY_FUNDS_S = 1800  # the merchant's balance is refilled by people or the next takings
# A code that was shown lives to the minute; clocks differ.
OFFER_GRACE = timedelta(seconds=60)

NOT_FOUND = frozenset({"ACQ.TRADE_NOT_EXIST", "ORDER_NOT_EXIST", "REFUND_NOT_EXIST"})
ALREADY_CLOSED = frozenset({"ACQ.TRADE_HAS_CLOSE"})
ALREADY_PAID = frozenset({"ACQ.TRADE_HAS_SUCCESS"})
# "The state does not allow that": which state is asked for.
STATE_FORBIDS = frozenset(
    {"ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.REASON_ILLEGAL_STATUS"}
)
FUNDS_SHORT = frozenset({"ACQ.SELLER_BALANCE_NOT_ENOUGH", "PAYER_BALANCE_NOT_ENOUGH"})

# The gateway refused the request itself; no product ever saw it.
GATEWAY_REFUSED = frozenset(
    {
        "isv.insufficient-isv-permissions",
        "isv.insufficient-user-permissions",
        "isv.invalid-app-id",
        "isv.invalid-parameter",
        "isv.missing-method",
        "isv.missing-parameter",
        "isv.missing-app-cert-sn",
    }
)
# Final refusals of a payment. CONTEXT_INCONSISTENT (the number stands with other terms),
# PAYMENT_FAIL and PULL_MOBILE_CASHIER_FAIL (cause unknown, an order may wait) are left out on
# purpose: there an order may stand under the number.
CAPTURE_REFUSED = GATEWAY_REFUSED | frozenset(
    {
        "ACQ.ACCESS_FORBIDDEN",
        "ACQ.AGREEMENT_INVALID",
        "ACQ.AGREEMENT_NOT_EXIST",
        "ACQ.AGREEMENT_STATUS_NOT_NORMAL",
        "ACQ.BEYOND_PAY_RESTRICTION",
        "ACQ.BEYOND_PER_RECEIPT_RESTRICTION",
        "ACQ.BUYER_BALANCE_NOT_ENOUGH",
        "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH",
        "ACQ.BUYER_ENABLE_STATUS_FORBID",
        "ACQ.BUYER_NOT_EXIST",
        "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR",
        "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
        "ACQ.BUYER_SELLER_EQUAL",
        "ACQ.CYCLE_PAY_DATE_NOT_MATCH",
        "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED",
        "ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED",
        "ACQ.CYCLE_PAY_TOTAL_TIMES_EXCEED",
        "ACQ.ERROR_BALANCE_PAYMENT_DISABLE",
        "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT",
        "ACQ.EXIST_FORBIDDEN_WORD",
        "ACQ.INVALID_PARAMETER",
        "ACQ.INVALID_STORE_ID",
        "ACQ.MERCHANT_AGREEMENT_INVALID",
        "ACQ.MERCHANT_AGREEMENT_NOT_EXIST",
        "ACQ.MOBILE_PAYMENT_SWITCH_OFF",
        "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE",
        "ACQ.PARTNER_ERROR",
        "ACQ.PAYMENT_AUTH_CODE_INVALID",
        "ACQ.PAYMENT_REQUEST_HAS_RISK",
        "ACQ.SELLER_BEEN_BLOCKED",
        "ACQ.TOTAL_FEE_EXCEED",
        "ACQ.TRADE_BUYER_NOT_MATCH",
        "ACQ.USER_FACE_PAYMENT_SWITCH_OFF",
    }
)
# Final refusals of a refund: nothing is given back under this number. DISCORDANT_REPEAT_REQUEST
# (the number stands with another amount) is left out: an earlier request may have been paid.
REFUND_REFUSED = GATEWAY_REFUSED | frozenset(
    {
        "ACQ.INVALID_PARAMETER",
        "ACQ.NOT_ALLOW_PARTIAL_REFUND",
        "ACQ.ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND",
        "ACQ.REASON_TRADE_BEEN_FREEZEN",
        "ACQ.REASON_TRADE_REFUND_FEE_ERR",
        "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
        "ACQ.REFUND_FEE_ERROR",
        "ACQ.TRADE_HAS_FINISHED",
        "ACQ.TRADE_NOT_ALLOW_REFUND",
        "ACQ.TRADE_NOT_EXIST",
        "ACQ.TRADE_STATUS_ERROR",
    }
)
TRANSFER_REFUSED = GATEWAY_REFUSED | frozenset(
    {
        "BLOCK_USER_FORBBIDEN_RECIEVE",
        "EXCEED_LIMIT_SM_AMOUNT",
        "INVALID_PARAMETER",
        "PAYEE_ACCOUNT_STATUS_ERROR",
        "PAYEE_CERTIFY_LEVEL_LIMIT",
        "PAYEE_NOT_EXIST",
        "PAYEE_USER_INFO_ERROR",  # the name is not the account's
        "PERMIT_NON_BANK_LIMIT_PAYEE",
        "PERM_AML_NOT_REALNAME_REV",
    }
)
# Refusals of a deduction that speak of the agreement: not there, not valid, not in force.
AGREEMENT_GONE = frozenset(
    {
        "ACQ.AGREEMENT_INVALID",
        "ACQ.AGREEMENT_NOT_EXIST",
        "ACQ.AGREEMENT_STATUS_NOT_NORMAL",
    }
)
AGREEMENT_NOT_FOUND = frozenset({"USER_AGREEMENT_NOT_EXIST", "ACQ.USER_AGREEMENT_NOT_EXIST"})

TRADE_STATES = MappingProxyType(
    {
        "WAIT_BUYER_PAY": Outcome.PENDING,
        "TRADE_SUCCESS": Outcome.SUCCEEDED,
        "TRADE_FINISHED": Outcome.SUCCEEDED,  # paid, and past the time of refunds
        "TRADE_CLOSED": Outcome.DECLINED,  # never paid, cancelled, or all of it given back
    }
)
CLOSED_STATE = "TRADE_CLOSED"
REFUND_STATES = MappingProxyType(
    {
        "REFUND_SUCCESS": (Outcome.SUCCEEDED, ""),
        "REFUND_PROCESSING": (Outcome.PENDING, "REFUND_PROCESSING"),
        "REFUND_FAIL": (Outcome.DECLINED, "REFUND_FAIL"),
    }
)
# The payer's bank refused the money of a finished refund: it lies with the channel.
DEPOSIT_BACK_FAILED = "F"
TRANSFER_STATES = MappingProxyType(
    {
        "SUCCESS": (Outcome.SUCCEEDED, ""),
        "DEALING": (Outcome.PENDING, "DEALING"),
        "INIT": (Outcome.PENDING, "INIT"),
        "WAIT_PAY": (Outcome.PENDING, "WAIT_PAY"),
        "FAIL": (Outcome.DECLINED, "FAIL"),
        "CLOSED": (Outcome.DECLINED, "CLOSED"),
        "REFUND": (Outcome.DECLINED, "RETURNED"),  # 退票: it is back on our account
    }
)
AGREEMENT_STATES = MappingProxyType(
    {
        "NORMAL": Outcome.SUCCEEDED,
        "TEMP": Outcome.PENDING,
        "STOP": Outcome.DECLINED,
        "UNSIGN": Outcome.DECLINED,
    }
)


def too_often(headers: Mapping[str, str]) -> ChannelAnswer:
    """HTTP 429."""
    return answers.unknown(
        "HTTP_429", retry_after_s=answers.pause_s(headers, otherwise_s=RETRY_AFTER_S)
    )


def refusal(
    code: str, message: str, *, final: frozenset[str], retry_after_s: int | None = None
) -> ChannelAnswer:
    """What an error code means for something that was just sent; only `final` ends it."""
    if code == CALL_LIMITED:
        return answers.unknown(code, message, retry_after_s=RETRY_AFTER_S)
    if code in FUNDS_SHORT:
        return answers.unknown(code, message, retry_after_s=RETRY_FUNDS_S)
    if code in ALREADY_CLOSED:
        return answers.closed(code)
    if code in ALREADY_PAID:
        return answers.unknown(code, message, executed=True)
    if code in final:
        return answers.refused(code, message)
    return answers.unknown(code, message, retry_after_s=retry_after_s)


def query_refusal(code: str, message: str) -> ChannelAnswer:
    """What an error code means for a query: only "no such order" says anything."""
    if code in NOT_FOUND:
        return answers.not_found(code, message)
    if code == CALL_LIMITED:
        return answers.unknown(code, message, retry_after_s=RETRY_AFTER_S)
    return answers.unknown(code, message)
