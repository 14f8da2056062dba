"""Why a collect took nothing, in the portal's own words: the list the HIS relies on.

A channel's code is mapped to a word here wherever somebody outside reads it. The code as it came
stays on its transaction, its collect and its bill, for the staff and the books.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """What is behind a result that is not `paid`; the schema lists these and no others."""

    NO_AGREEMENT = "no_agreement"
    AGREEMENT_LIMIT = "agreement_limit"
    AGREEMENT_HOURS = "agreement_hours"
    AGREEMENT_ENDED = "agreement_ended"
    PAY_LINK = "pay_link"
    NOT_OFFERED = "not_offered"
    PASSED_OVER = "passed_over"
    NOT_SENT = "not_sent"
    NOT_ENOUGH_MONEY = "not_enough_money"
    ACCOUNT_LIMIT = "account_limit"
    ACCOUNT_RESTRICTED = "account_restricted"
    CODE_EXPIRED = "code_expired"
    CODE_INVALID = "code_invalid"
    NOT_CONFIRMED = "not_confirmed"
    ORDER_CLOSED = "order_closed"
    MERCHANT_SETUP = "merchant_setup"
    NOT_COMPLETED = "not_completed"
    NO_CREDENTIAL = "no_credential"
    NOT_COVERED = "not_covered"
    OTHER_PERSON = "other_person"
    INSURANCE_CODE = "insurance_code"
    LINES_REFUSED = "lines_refused"
    INSURER_REFUSED = "insurer_refused"
    INSURER_SILENT = "insurer_silent"
    INSURER_REVIEW = "insurer_review"
    PRICE_CHANGED = "price_changed"
    PATIENT_LEFT = "patient_left"
    PAID_OTHERWISE = "paid_otherwise"


# Codes of the channels by what they come to; one that is not here is NOT_COMPLETED.
CHANNEL_CODES: dict[Reason, tuple[str, ...]] = {
    Reason.NOT_SENT: ("NEVER_EXECUTED", "NOT_SENT_IN_TIME"),
    Reason.AGREEMENT_ENDED: (
        "CONTRACT_NOT_EXIST", "CONTRACT_NOT_EXISTS", "CONTRACTNOTEXIST", "ACQ.AGREEMENT_INVALID",
        "ACQ.AGREEMENT_NOT_EXIST", "ACQ.AGREEMENT_STATUS_NOT_NORMAL",
    ),
    Reason.AGREEMENT_LIMIT: (
        "RULELIMIT", "RULE_LIMIT", "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED",
        "ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED", "ACQ.CYCLE_PAY_TOTAL_TIMES_EXCEED",
    ),
    Reason.AGREEMENT_HOURS: ("ACQ.CYCLE_PAY_DATE_NOT_MATCH",),
    Reason.NOT_ENOUGH_MONEY: (
        "NOTENOUGH", "NOT_ENOUGH", "ACQ.BUYER_BALANCE_NOT_ENOUGH",
        "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH",
    ),
    Reason.ACCOUNT_LIMIT: (
        "ACQ.BEYOND_PAY_RESTRICTION", "ACQ.BEYOND_PER_RECEIPT_RESTRICTION",
        "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
        "ACQ.TOTAL_FEE_EXCEED",
    ),
    Reason.ACCOUNT_RESTRICTED: (
        "ACCOUNT_ERROR", "ACCOUNTERROR", "USER_ACCOUNT_ABNORMAL", "NOTSUPORTCARD",
        "ACQ.BUYER_ENABLE_STATUS_FORBID", "ACQ.BUYER_NOT_EXIST",
        "ACQ.ERROR_BALANCE_PAYMENT_DISABLE", "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT",
        "ACQ.MOBILE_PAYMENT_SWITCH_OFF", "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE",
        "ACQ.USER_FACE_PAYMENT_SWITCH_OFF",
    ),
    Reason.CODE_EXPIRED: (
        "AUTHCODEEXPIRE", "AUTH_CODE_EXPIRE", "AUTH_CODE_EXPIRED", "AUTH_CODE_USED",
        "AUTH_CODE_ERROR", "ACQ.PAYMENT_AUTH_CODE_INVALID",
    ),
    Reason.CODE_INVALID: ("AUTH_CODE_INVALID",),
    Reason.NOT_CONFIRMED: ("USERPAYING", "NOTPAY", "WAIT_BUYER_PAY"),
    Reason.ORDER_CLOSED: (
        "ORDER_CLOSED", "ORDERCLOSED", "ORDER_REVERSED", "ORDERREVERSED", "CLOSED", "REVOKED",
        "TRADE_STATE_ERROR_CLOSED", "ACQ.TRADE_HAS_CLOSE", "TRADE_CLOSED",
    ),
    Reason.MERCHANT_SETUP: (
        "APPID_MCHID_NOT_MATCH", "APPID_NOT_EXIST", "LACK_PARAMS", "MCHID_NOT_EXIST",
        "MCH_NOT_EXISTS", "NOAUTH", "NO_AUTH", "NOT_UTF8", "PARAM_ERROR", "POST_DATA_EMPTY",
        "REQUIRE_POST_METHOD", "XML_FORMAT_ERROR", "isv.insufficient-isv-permissions",
        "isv.insufficient-user-permissions", "isv.invalid-app-id", "isv.invalid-parameter",
        "isv.missing-method", "isv.missing-parameter", "isv.missing-app-cert-sn",
        "ACQ.ACCESS_FORBIDDEN", "ACQ.BUYER_SELLER_EQUAL", "ACQ.EXIST_FORBIDDEN_WORD",
        "ACQ.INVALID_PARAMETER", "ACQ.INVALID_STORE_ID", "ACQ.MERCHANT_AGREEMENT_INVALID",
        "ACQ.MERCHANT_AGREEMENT_NOT_EXIST", "ACQ.PARTNER_ERROR", "ACQ.SELLER_BEEN_BLOCKED",
    ),
    Reason.NOT_COMPLETED: (
        "PAYERROR", "PAY_FAIL", "ACQ.PAYMENT_REQUEST_HAS_RISK", "ACQ.TRADE_BUYER_NOT_MATCH",
    ),
}  # fmt: skip
REASON_OF: dict[str, Reason] = {
    **{str(reason): reason for reason in Reason},
    **{code: reason for reason, codes in CHANNEL_CODES.items() for code in codes},
}


def reason_of(code: str) -> Reason | None:
    """The portal's word for a code of ours or of a channel; None where there is no code."""
    return REASON_OF.get(code, Reason.NOT_COMPLETED) if code else None
