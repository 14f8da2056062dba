"""The chart of accounts (会计科目表): every family there is, and how its paths are written.

A path is the family and as many segments as the family asks for. An account row appears when its
path is first posted to; a family appears only here. A family's `subject` repeats for readers what
the database demands: which row a posting on a shared account is about. Which family may meet which
is one table in the database, `ledger_routes()` of `migrations/0007_routes.sql`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SEGMENT = re.compile(r"[0-9A-Za-z_.\-]{1,40}")


class Kind(StrEnum):
    """What a debit does to the account: assets and expenses grow by it, the others shrink."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Subject(StrEnum):
    """The row a posting on a shared account is about; NONE where the path says it all."""

    NONE = ""
    INVOICE = "invoice"
    REFUND = "refund"
    PAYMENT_TRANSACTION = "payment_transaction"
    CLAIM = "claim"


class UnknownAccount(ValueError):
    """A path that is not in the chart: a programming error, never a patient's."""


@dataclass(frozen=True, slots=True)
class Family:
    """One line of the chart. `segments` names what follows the family in a path."""

    code: str
    kind: Kind
    title: Promise
    segments: tuple[str, ...] = ()
    subject: Subject = Subject.NONE


FAMILIES: MappingProxyType[str, Family] = MappingProxyType(
    {
        family.code: family
        for family in (
            Family(
                "patient_receivable", Kind.ASSET, _("Due from patients"), subject=Subject.INVOICE
            ),
            Family(
                "commercial_receivable", Kind.ASSET, _("Due from private insurers"), ("insurer",)
            ),
            Family(
                "fund_receivable", Kind.ASSET, _("Due from the insurer"), ("agency",), Subject.CLAIM
            ),
            Family("recourse_receivable", Kind.ASSET, _("Due by recourse"), ("institution",)),
            Family("credit_receivable", Kind.ASSET, _("Due from the granting bank"), ("bank",)),
            Family("credit_debt", Kind.ASSET, _("Owed on credit"), ("line",)),
            Family("clearing", Kind.ASSET, _("Money under way"), ("channel", "merchant")),
            Family("cash_drawer", Kind.ASSET, _("Cash at the windows"), ("shift",)),
            Family("payout_float", Kind.ASSET, _("Payout float"), ("channel",)),
            Family("bank", Kind.ASSET, _("Money at the bank")),
            Family("patient_deposit", Kind.LIABILITY, _("Deposits of patients"), ("deposit",)),
            Family("refund_payable", Kind.LIABILITY, _("Refunds payable"), subject=Subject.REFUND),
            Family(
                "unapplied",
                Kind.LIABILITY,
                _("Unapplied money"),
                subject=Subject.PAYMENT_TRANSACTION,
            ),
            Family("medical_revenue", Kind.INCOME, _("Medical revenue")),
            Family("revenue_reduction", Kind.INCOME, _("Reductions of revenue"), ("reason",)),
            Family("channel_fee", Kind.EXPENSE, _("Channel fees")),
            Family("fund_loss", Kind.EXPENSE, _("Losses of fund money")),
            Family("bad_debt", Kind.EXPENSE, _("Bad debts")),
            Family("cash_over_short", Kind.EXPENSE, _("Cash over and short")),
            Family("legacy_cutover", Kind.EQUITY, _("Carried over from the old system")),
        )
    }
)

PATIENT_RECEIVABLE = "patient_receivable"
REFUND_PAYABLE = "refund_payable"
UNAPPLIED = "unapplied"
MEDICAL_REVENUE = "medical_revenue"
FUND_LOSS = "fund_loss"
BANK = "bank"
BAD_DEBT = "bad_debt"


class Event(StrEnum):
    """The business events that make entries that this house has; one comes with what posts it."""

    INVOICE_ISSUED = "invoice_issued"
    INVOICE_CANCELLED = "invoice_cancelled"
    LINES_RETURNED = "lines_returned"
    CAPTURED = "captured"
    CASH_TAKEN = "cash_taken"
    REFUND_OWED = "refund_owed"
    REFUND_DONE = "refund_done"
    REFUND_CAME_BACK = "refund_came_back"
    UNEXPECTED_IN = "unexpected_in"
    UNEXPECTED_OWED = "unexpected_owed"
    UNEXPECTED_APPLIED = "unexpected_applied"
    CLAIM_SETTLED = "claim_settled"
    CLAIM_REVERSED = "claim_reversed"
    HOSPITAL_PART = "hospital_part"
    HOSPITAL_PART_REVERSED = "hospital_part_reversed"
    HOSPITAL_BEARS = "hospital_bears"
    HOSPITAL_BEARS_REVERSED = "hospital_bears_reversed"
    EXCESS_OWED = "excess_owed"
    FUND_LOSS_BORNE = "fund_loss_borne"
    FUND_LOSS_TAKEN_BACK = "fund_loss_taken_back"
    RECOURSE_CLAIMED = "recourse_claimed"
    RECOURSE_COLLECTED = "recourse_collected"
    RECOURSE_WRITTEN_OFF = "recourse_written_off"


@lru_cache(maxsize=4096)
def family_of(code: str) -> Family:
    """The family a path belongs to; raises `UnknownAccount` for a path outside the chart."""
    name, *segments = code.split("/")
    family = FAMILIES.get(name)
    if family is None:
        raise UnknownAccount(f"{code!r} is in no family of the chart")
    if len(segments) != len(family.segments):
        wanted = "/".join((name, *(f"<{segment}>" for segment in family.segments)))
        raise UnknownAccount(f"{code!r} is not written {wanted}")
    for segment in segments:
        if SEGMENT.fullmatch(segment) is None:
            raise UnknownAccount(f"{segment!r} in {code!r} is not 1-40 of 0-9 A-Z a-z _ . -")
    return family


def clearing(channel: str, merchant_no: str) -> str:
    """Money a channel has taken or returned for a merchant and not yet settled with us."""
    return f"clearing/{channel}/{merchant_no}"


def cash_drawer(shift: str) -> str:
    return f"cash_drawer/{shift}"


def fund_receivable(agency: str) -> str:
    """What an insurer's agency owes: fund and accounts, by claim."""
    return f"fund_receivable/{agency}"


def recourse_receivable(institution: str) -> str:
    """What a payment institution is to make good."""
    return f"recourse_receivable/{institution}"


def revenue_reduction(reason: str) -> str:
    return f"revenue_reduction/{reason}"
