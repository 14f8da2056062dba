"""The queue of questions for a person, and one of them with its evidence side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.channels.base import Mode
from billing.desk.names import names_of
from billing.models import (
    BillingReview,
    PaymentTransaction,
    ReturnLine,
    ReviewReason,
    TransactionStatus,
)
from billing.services.insuring.deciding import INSURED_REASONS
from billing.services.refunding.refunds import debt_numbers
from billing.services.refunding.return_reviews import RETURN_REASONS
from core import clock
from core.admin_values import WORDS, word_of
from core.admin_words import COLUMNS
from core.errors import NotFound
from core.money import format_yuan
from core.review import ReviewStatus
from patients.models import PatientReview

QUEUE_PAGE = 50
VALUE_LENGTH_MAX = 200
AGE_LATE = timedelta(days=1)
REASONS: dict[str, Promise | str] = {
    **{reason.value: reason.label for reason in ReviewReason},
    "same_number_other_name": gettext_lazy("same certificate number, other name"),
}
FACTS = ("number", "channel_no", "outcome", "code", "amount_fen", "occurred_at")


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One open or decided question of the list."""

    review: BillingReview | PatientReview
    reason: Promise | str
    subject: str
    amount_fen: int | None
    age: str
    late: bool
    opened_by: str = ""
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One comparison: what we say, what they say."""

    label: Promise | str
    ours: str
    theirs: str
    same: bool | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A question about money, ready to be decided."""

    review: BillingReview
    reason: Promise | str
    age: str
    evidence: tuple[Evidence, ...]
    lines: tuple[ReturnLine, ...]
    amount_fen: int | None
    decided_by: str = ""
    notes: PaymentTransaction | None = None
    notes_of: str = ""

    @property
    def is_return(self) -> bool:
        return self.review.reason_code in RETURN_REASONS

    @property
    def approved_before(self) -> str:
        """Who approved it in the HIS: a return over the limit comes with a name of its own."""
        returned = self.review.invoice_return
        if returned is None or self.review.reason_code != ReviewReason.RETURN_ABOVE_LIMIT:
            return ""
        return returned.approver_name or returned.approver_code

    @property
    def is_declined_refund(self) -> bool:
        return self.review.reason_code == ReviewReason.REFUND_DECLINED

    @property
    def is_settlement(self) -> bool:
        """About a bill that waits because its claim was not undone, or not made anew."""
        return self.review.reason_code in INSURED_REASONS

    @property
    def is_unpaid(self) -> bool:
        """About a dearer settlement of a bill nobody gave anything back of."""
        reason = self.review.reason_code == ReviewReason.CLAIM_NOT_REVERSED
        return reason and self.review.invoice_return_id is None

    @property
    def is_asked_to_bear(self) -> bool:
        return self.review.reason_code == ReviewReason.HOSPITAL_BEARS

    @property
    def open(self) -> bool:
        return self.review.status == ReviewStatus.OPEN


def queue(*, decided: bool, after: int = 0) -> tuple[list[CaseRow], int]:
    """Questions about money: open ones oldest first, decided ones newest first; where to go on."""
    rows = BillingReview.objects.select_related("invoice", "transaction", "invoice_return")
    rows = rows.exclude(status=ReviewStatus.OPEN) if decided else rows.filter(status="OPEN")
    if after:
        rows = rows.filter(pk__lt=after) if decided else rows.filter(pk__gt=after)
    found = list(rows.order_by("-pk" if decided else "pk")[: QUEUE_PAGE + 1])
    shown = found[:QUEUE_PAGE]
    names = names_of(key for row in shown for key in (row.opened_by, row.decided_by))
    return [_row(row, names) for row in shown], shown[-1].pk if len(found) > QUEUE_PAGE else 0


def people_queue() -> list[CaseRow]:
    """Open questions about who somebody is, oldest first."""
    open_cases = PatientReview.objects.filter(status=ReviewStatus.OPEN).order_by("pk")
    rows = list(open_cases[:QUEUE_PAGE])
    names = names_of(row.opened_by for row in rows)
    return [
        CaseRow(
            row,
            REASONS.get(row.reason_code, row.summary),
            _("patient %(id)s") % {"id": row.patient_id},
            None,
            *age_of(row.opened_at),
            opened_by=names[row.opened_by],
        )
        for row in rows
    ]


def open_count() -> int:
    """How many questions about money wait; a partial index counts them."""
    return BillingReview.objects.filter(status=ReviewStatus.OPEN).count()


def _row(row: BillingReview, names: Mapping[str | None, str]) -> CaseRow:
    about = row.invoice or row.transaction
    subject = about if about is not None else row.figures.get("number", "")
    return CaseRow(
        review=row,
        reason=REASONS.get(row.reason_code, row.summary),
        subject=str(subject),
        amount_fen=_amount(row),
        age=age_of(row.opened_at)[0],
        late=age_of(row.opened_at)[1],
        opened_by=_opener(row, names[row.opened_by]),
        decided_by=names[row.decided_by],
    )


def _opener(row: BillingReview, name: str) -> str:
    """An operator of the HIS is known by the return they sent."""
    returned = row.invoice_return
    by_his = returned is not None and row.opened_by == f"his:{returned.operator_code}"
    return (returned.operator_name or name) if returned is not None and by_his else name


def _amount(row: BillingReview) -> int | None:
    if row.invoice_return is not None:
        return row.invoice_return.amount_fen
    if row.transaction is not None:
        return row.transaction.amount_fen
    return None


def age_of(at: datetime) -> tuple[str, bool]:
    """Waited how long, in words, and whether that is late."""
    waited = max(clock.now() - at, timedelta(0))
    minutes = int(waited.total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        text = ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
        text += " " + ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours} if hours else ""
    elif hours:
        text = ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}
    else:
        text = ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    return text, waited >= AGE_LATE


def case_get(review_id: int) -> Case:
    """One question with its rows, or NotFound."""
    row = (
        BillingReview.objects.select_related(
            "invoice__patient", "transaction__payment", "notice", "invoice_return"
        )
        .filter(pk=review_id)
        .first()
    )
    if row is None:
        raise NotFound("unknown_review", _("There is no such case."))
    lines = ReturnLine.objects.filter(invoice_return=row.invoice_return_id or 0)
    notes = _notes(row)
    drawer_of = notes.payment.shift.cashier if notes and notes.payment.shift else None
    names = names_of([row.decided_by, drawer_of])
    return Case(
        review=row,
        reason=REASONS.get(row.reason_code, row.summary),
        age=age_of(row.opened_at)[0],
        evidence=tuple(_evidence(row)),
        lines=tuple(lines.select_related("line__charge").order_by("pk")),
        amount_fen=_amount(row),
        decided_by=names[row.decided_by],
        notes=notes,
        notes_of=names[drawer_of],
    )


def _notes(row: BillingReview) -> PaymentTransaction | None:
    """What was booked out of a drawer for the debt a decided case is about: who decided and did not
    see the page that said so reads it here."""
    if row.reason_code != ReviewReason.REFUND_DECLINED or row.transaction is None:
        return None
    numbers = debt_numbers(row.transaction).select_related("payment__shift")
    return numbers.filter(payment__mode=Mode.CASH, status=TransactionStatus.SUCCEEDED).last()


def _evidence(row: BillingReview) -> Sequence[Evidence]:
    """Our figure beside theirs. What only one side says leaves the other a dash."""
    figures, facts = dict(row.figures), dict(row.notice.facts) if row.notice else {}
    rows: list[Evidence] = []
    if "theirs_fen" in figures:
        rows.append(_pair(_("Amount"), figures.pop("ours_fen", None), figures.pop("theirs_fen")))
    if "theirs" in figures:
        ours, theirs = (_states(figures.pop(side, None)) for side in ("ours", "theirs"))
        rows.append(_pair(_("State"), ours, theirs))
    if row.transaction is not None:
        rows += _transaction(row, facts)
        figures.pop("amount_fen", None)
    rows += [_figure(str(name), value) for name, value in figures.items() if value != ""]
    return rows


def _states(said: Any) -> str:
    """`SUCCEEDED`, or a kind, a number and an outcome, in words."""
    words = {**WORDS.get("kind", {}), **WORDS.get("outcome", {})}
    return " ".join(str(words.get(part, part)) for part in str(said or "").split())


def _transaction(row: BillingReview, facts: Mapping[str, Any]) -> list[Evidence]:
    ours = row.transaction
    assert ours is not None
    told = {name: facts[name] for name in FACTS if facts.get(name) not in (None, "")}
    theirs_fen = told.get("amount_fen")
    return [
        Evidence(_("Number"), ours.number, str(told.get("number", ours.channel_no or "—"))),
        Evidence(_("Kind"), str(ours.get_kind_display()), "—"),
        Evidence(_("State"), str(ours.get_status_display()), _said("outcome", told.get("outcome"))),
        _pair(_("Amount"), ours.amount_fen, theirs_fen)
        if theirs_fen is not None
        else Evidence(_("Amount"), format_yuan(ours.amount_fen), "—"),
    ]


def _pair(label: str, ours: Any, theirs: Any) -> Evidence:
    return Evidence(label, _value(ours), _value(theirs), same=ours == theirs)


def _figure(name: str, value: Any) -> Evidence:
    """A figure kept when the case was opened: sums are ours, codes and words are theirs."""
    label = COLUMNS.get(name) or name
    if name.endswith("_fen"):
        return Evidence(label, _value(value), "—")
    return Evidence(label, "—", _said(name, value))


def _said(name: str, value: Any) -> str:
    """What a machine said, as a word where there is one."""
    return "—" if value in (None, "") else str(word_of(name, str(value)))[:VALUE_LENGTH_MAX]


def _value(value: Any) -> str:
    """Whole numbers here are fen."""
    if isinstance(value, int) and not isinstance(value, bool):
        return format_yuan(value)
    return "—" if value in (None, "") else str(value)[:VALUE_LENGTH_MAX]
