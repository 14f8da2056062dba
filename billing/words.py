"""What codes of bills and channels are called, the same on the phone and at the window.

A reason is a phrase a patient can act on; a code without one is never shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from billing.channels.base import Mode
from billing.models import InvoiceStatus
from billing.reasons import Reason, reason_of

REASONS: dict[Reason, Promise] = {
    Reason.NOT_ENOUGH_MONEY: _("there is not enough money in the account"),
    Reason.AGREEMENT_LIMIT: _("a limit of the deduction agreement is reached"),
    Reason.AGREEMENT_HOURS: _("the deduction agreement does not pay at this time"),
    Reason.AGREEMENT_ENDED: _("the deduction agreement has ended"),
    Reason.CODE_EXPIRED: _("the payment code is no longer valid"),
    Reason.CODE_INVALID: _("this is not a payment code; scan a fresh one"),
    Reason.PASSED_OVER: _("it was not waited for any longer"),
    Reason.NO_CREDENTIAL: _("the insurance code was not shown"),
    Reason.NOT_COVERED: _("no insurance holds today"),
    Reason.OTHER_PERSON: _("the insurance code is another person's"),
    Reason.INSURANCE_CODE: _("the insurance code or face could not be read"),
    Reason.LINES_REFUSED: _("the insurer does not take these charges"),
    Reason.INSURER_REFUSED: _("the insurer refuses"),
    Reason.INSURER_SILENT: _("the insurer does not answer"),
    Reason.INSURER_REVIEW: _("the insurer's answer is being looked into"),
    Reason.PRICE_CHANGED: _("the own part has changed"),
    Reason.PATIENT_LEFT: _("the patient did not wait"),
    Reason.PAID_OTHERWISE: _("the bill was paid in another way meanwhile"),
    Reason.NOT_CONFIRMED: _("the password was not entered in time"),
}
OTHER = _("the payment was not completed and is cancelled")


# What staff read of the others; a payer can act on none of them and reads OTHER.
STAFF_REASONS: dict[Reason, Promise] = {
    **REASONS,
    Reason.NO_AGREEMENT: _("no deduction agreement pays for the patient"),
    Reason.PAY_LINK: _("to be paid by the pay link"),
    Reason.NOT_OFFERED: _("this way to pay is not offered"),
    Reason.NOT_SENT: _("it could not be sent to the channel"),
    Reason.ACCOUNT_LIMIT: _("a limit of the payer's account is reached"),
    Reason.ACCOUNT_RESTRICTED: _("the payer's account cannot pay this way"),
    Reason.ORDER_CLOSED: _("the order is closed"),
    Reason.MERCHANT_SETUP: _("the merchant is not set up for it"),
    Reason.NOT_COMPLETED: OTHER,
}
# Codes with which a channel says of an open order that nobody has paid it yet.
WAITS = ("NOTPAY", "WAIT_BUYER_PAY", "USERPAYING", "OFFERED")
WAITING = _("waiting for payment")


def reason_text(code: str) -> Promise:
    """Why nothing was taken, in one phrase."""
    return REASONS.get(reason_of(code) or Reason.NOT_COMPLETED, OTHER)


# What a list says of a bill: the state of the badge (`core.templatetags.elements`).
BADGES: dict[str, str] = {
    InvoiceStatus.ISSUED: "to_pay",
    InvoiceStatus.PAID: "paid",
    InvoiceStatus.RESETTLING: "paid",
    InvoiceStatus.PARTLY_REFUNDED: "part_refunded",
    InvoiceStatus.REFUNDED: "refunded",
    InvoiceStatus.CANCELLED: "closed",
}


def bill_badge(status: str) -> str:
    """What is neither to pay nor over is in progress, whoever works on it."""
    return BADGES.get(status, "in_progress")


# What the HIS was told, in a clerk's words.
HIS_EVENTS: dict[str, Promise] = {
    "priced": _("bill issued"),
    "action_required": _("waiting for payment, pay link sent"),
    "paid": _("paid"),
    "declined": _("not paid"),
    "cancelled": _("bill cancelled"),
    "refund_accepted": _("return accepted"),
    "refunded": _("refunded"),
    "refund_failed": _("refund did not go through"),
    "review": _("waits for review"),
}

WAYS: dict[tuple[str, str], Promise] = {
    ("wechat_pay", Mode.AGREEMENT): _("WeChat, no password"),
    ("wechat_pay", Mode.SCAN): _("WeChat, scanned code"),
    ("wechat_pay", Mode.NATIVE): _("WeChat"),
    ("wechat_pay", Mode.H5): _("WeChat"),
    ("wechat_pay", Mode.JSAPI): _("WeChat"),
    ("wechat_pay", Mode.MIXED): _("WeChat, with insurance"),
    ("alipay", Mode.AGREEMENT): _("Alipay, no password"),
    ("alipay", Mode.SCAN): _("Alipay, scanned code"),
    ("alipay", Mode.NATIVE): _("Alipay"),
    ("alipay", Mode.H5): _("Alipay"),
    ("cash", Mode.CASH): _("cash at the window"),
}


def way_text(channel: str, mode: str) -> Promise | str:
    """How a payment was made or is to be made."""
    return WAYS.get((channel, mode), channel)


WALLETS: dict[str, Promise] = {"wechat_pay": _("WeChat"), "alipay": _("Alipay")}


@dataclass(frozen=True, slots=True)
class WalletWords:
    """How the ways of one channel are called."""

    name: Promise | str
    scan: Promise | str
    press: Promise | str
    sign_in: Promise | str


WALLET_WORDS = {
    "wechat_pay": WalletWords(
        name=_("WeChat Pay"),
        scan=_("WeChat, scan a code"),
        press=_("Pay by WeChat"),
        sign_in=_("Sign in with WeChat, then pay"),
    ),
    "alipay": WalletWords(
        name=_("Alipay"),
        scan=_("Alipay, scan a code"),
        press=_("Pay by Alipay"),
        sign_in=_("Sign in with Alipay, then pay"),
    ),
}


def wallet_words(channel: str) -> WalletWords:
    return WALLET_WORDS.get(channel) or WalletWords(channel, channel, channel, channel)


def day_text(day: date) -> str:
    """A day without its year; the catalogue says how it is written."""
    return formats.date_format(day, pgettext("format of a day", "F j"))
