"""The words of the boundary: how a payer takes part, what is done, what a channel can."""

from __future__ import annotations

from enum import StrEnum

# Codes of ours in an answer, beside those of the channels.
CONFIRM_BY_QUERY = "CONFIRM_BY_QUERY"  # a notice that only rings: what it claims is asked for first
CAME_BACK = "ABNORMAL"  # a refund the payer's account cannot take, or sent back (退票)
MISMATCH = "MISMATCH"  # an answer about something else than was asked


class Mode(StrEnum):
    """How the payer takes part in a capture."""

    AGREEMENT = "agreement"  # 委托代扣: a signed contract, nobody touches a phone
    SCAN = "scan"  # 付款码: the payer's code is read by the window
    NATIVE = "native"  # a QR code the payer scans
    H5 = "h5"  # a link opened in the phone's browser
    JSAPI = "jsapi"  # asked for inside the wallet's own browser, by the payer's id there
    MIXED = "mixed"  # JSAPI, with the insurance part confirmed by the same password (医保自费混合)
    CASH = "cash"  # banknotes at the window


# What a payer opens by their own hand; until then no money is under way.
OFFERED_MODES = (Mode.NATIVE, Mode.H5, Mode.JSAPI, Mode.MIXED)


class Operation(StrEnum):
    """The verbs of a channel; also the names under which faults and calls are recorded."""

    SIGN = "sign"
    UNSIGN = "unsign"
    CAPTURE = "capture"
    QUERY = "query"
    CLOSE = "close"
    REVERSE = "reverse"
    REFUND = "refund"
    REFUND_QUERY = "refund_query"
    AGREEMENT_QUERY = "agreement_query"
    TRANSFER = "transfer"
    TRANSFER_QUERY = "transfer_query"


class Capability(StrEnum):
    """What a channel can do beyond the verbs every channel has; a payment code (付款码) it takes by
    declaring its form (`Channel.auth_code_form`)."""

    AGREEMENT = "agreement"
    PAY_LINK = "pay_link"
    JSAPI = "jsapi"  # with PAY_LINK: also inside the wallet's own browser
    MIXED = "mixed"  # with JSAPI: insurance and cash in one order
    TRANSFER = "transfer"


class Source(StrEnum):
    """By which door the answer came."""

    SEND = "send"
    QUERY = "query"
    NOTICE = "notice"


class NoticeKind(StrEnum):
    CAPTURE = "capture"
    REFUND = "refund"
    AGREEMENT = "agreement"
    MIXED = "mixed"  # only rings: insurance and cash are each asked for


class PayeeKind(StrEnum):
    """By what a payee is known to the channel."""

    USER_ID = "user_id"
    LOGIN = "login"  # a phone number or mail address; needs the real name
    OPEN_ID = "open_id"
