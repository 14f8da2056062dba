"""Movements of money and their postings, in the words the patient's pages use as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from billing.ledger.chart import UnknownAccount, family_of
from billing.models import PaymentTransaction, TransactionKind, TransactionStatus
from billing.reasons import REASON_OF
from billing.words import OTHER, STAFF_REASONS, WAITING, WAITS, reason_text, way_text
from core.admin_values import word_of
from core.templatetags.elements import badge_word

# Nothing of a patient's page says this of a refund: the hospital owes it still.
NOT_REFUNDED = "not_refunded"
_ENDS: dict[str, dict[str, str]] = {
    TransactionKind.CAPTURE: {
        TransactionStatus.SUCCEEDED: "paid",
        TransactionStatus.DECLINED: "not_paid",
        TransactionStatus.CLOSED: "not_paid",
    },
    TransactionKind.REFUND: {
        TransactionStatus.SUCCEEDED: "refunded",
        TransactionStatus.DECLINED: NOT_REFUNDED,
        TransactionStatus.CLOSED: NOT_REFUNDED,
    },
}
_BETWEEN: dict[str, str] = {
    TransactionKind.CAPTURE: "in_progress",
    TransactionKind.REFUND: "refunding",
}


@dataclass(frozen=True, slots=True)
class MoneyRow:
    """One movement: its number, the channel's, its state and times; refunds stand under theirs."""

    row: PaymentTransaction
    way: str | Promise
    badge: str
    reason: str

    @property
    def refund(self) -> bool:
        return self.row.kind == TransactionKind.REFUND

    @property
    def failed_refund(self) -> bool:
        return self.badge == NOT_REFUNDED

    @property
    def unknown(self) -> bool:
        """Asked, and no answer that ends it: said beside the badge, for who explains it."""
        return self.row.status == TransactionStatus.UNKNOWN


def movement_badge(kind: str, status: str) -> str:
    """Three results, as on the patient's pages; what is not over is in progress."""
    return _ENDS[kind].get(status) or _BETWEEN[kind]


def movement_word(kind: str, status: str) -> str:
    """The same as text, for the course; before the first call there is only a number."""
    if status == TransactionStatus.CREATED:
        return str(TransactionStatus.CREATED.label)
    badge = movement_badge(kind, status)
    return _("refund did not go through") if badge == NOT_REFUNDED else badge_word(badge)


def code_word(code: str, *, kind: str, status: str) -> str:
    """What a channel's code means of a movement in this state: the wait is not yet a refusal.

    A code that nobody gave a word stands in brackets, behind what is sure.
    """
    if status in PaymentTransaction.IN_FLIGHT and code in WAITS:
        return str(WAITING)
    if code in REASON_OF:
        return str(STAFF_REASONS[REASON_OF[code]])
    word = str(word_of("code", code))
    if word != code:
        return word
    lost = kind == TransactionKind.CAPTURE and status in PaymentTransaction.LOST
    sure = OTHER if lost else _("answer of the channel")
    return _("%(word)s (%(code)s)") % {"word": sure, "code": code}


def movement_noun(kind: str) -> str:
    return str(TransactionKind(kind).label)


def money_list(rows: Sequence[PaymentTransaction]) -> tuple[MoneyRow, ...]:
    """Each capture, followed by what went back of it."""
    below: dict[int | None, list[PaymentTransaction]] = {}
    for row in rows:
        below.setdefault(row.original_id, []).append(row)
    ordered: list[PaymentTransaction] = []
    for capture in below.get(None, []):
        ordered += [capture, *below.get(capture.pk, [])]
    return tuple(_money(row) for row in ordered)


def _money(row: PaymentTransaction) -> MoneyRow:
    payment = row.payment
    return MoneyRow(
        row=row,
        way=way_text(payment.channel, payment.mode),
        badge=movement_badge(row.kind, row.status),
        reason=_reason(row),
    )


def _reason(row: PaymentTransaction) -> str:
    """Why it is as the badge says; of what succeeded there is no more to say."""
    if row.code:
        done = row.status == TransactionStatus.SUCCEEDED
        return "" if done else code_word(row.code, kind=row.kind, status=row.status)
    taken = row.kind == TransactionKind.CAPTURE
    return str(reason_text("")) if taken and row.status in row.LOST else ""


def back_fen(row: PaymentTransaction) -> int:
    """What this movement brought back to the payer."""
    back = row.kind == TransactionKind.REFUND and row.status == TransactionStatus.SUCCEEDED
    return row.amount_fen if back else 0


def account_title(code: str) -> str:
    """An account as the chart calls it, with the channel, merchant or shift its path names."""
    try:
        family = family_of(code)
    except UnknownAccount:
        return code
    named = zip(family.segments, code.split("/")[1:], strict=False)
    return " · ".join([str(family.title), *(str(word_of(name, part)) for name, part in named)])
